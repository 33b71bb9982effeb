//! The numbers that say whether the songs work.

use serde::{Serialize, Serializer};

use crate::evaluation::bootstrap::Estimate;

/// One of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kpi {
    /// Likes per answer.
    Likes,
    /// Dislikes per answer.
    Dislikes,
    /// Share of answers of which a listen link was followed.
    Followed,
    /// Share of answers after which more songs were asked for.
    More,
    /// Share of answers that were deleted.
    Deleted,
    /// Share of answers that called themselves unsure.
    Unsure,
    /// Share of people who asked on at least two days.
    Repeat,
    /// Median time from question to answer.
    MedianTime,
    /// Time within which 95 % of the answers came.
    SlowTime,
    /// Share of the catalogue that was shown.
    Coverage,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Per answer.
    PerAnswer,
    /// A share in `[0, 1]`.
    Share,
    /// Milliseconds.
    Ms,
}

impl Kpi {
    /// All of them in the order of a report.
    pub const ALL: [Self; 10] = [
        Self::Likes,
        Self::Dislikes,
        Self::Followed,
        Self::More,
        Self::Deleted,
        Self::Unsure,
        Self::Repeat,
        Self::MedianTime,
        Self::SlowTime,
        Self::Coverage,
    ];

    /// Its name in JSON; never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Likes => "likes_per_answer",
            Self::Dislikes => "dislikes_per_answer",
            Self::Followed => "followed_share",
            Self::More => "more_share",
            Self::Deleted => "deleted_share",
            Self::Unsure => "unsure_share",
            Self::Repeat => "repeat_share",
            Self::MedianTime => "answer_ms_p50",
            Self::SlowTime => "answer_ms_p95",
            Self::Coverage => "coverage",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Likes => "likes per answer",
            Self::Dislikes => "dislikes per answer",
            Self::Followed => "listen link followed",
            Self::More => "more asked for",
            Self::Deleted => "answer deleted",
            Self::Unsure => "unsure answers",
            Self::Repeat => "people who came back",
            Self::MedianTime => "time to answer, half",
            Self::SlowTime => "time to answer, 95 %",
            Self::Coverage => "catalogue shown",
        }
    }

    /// What it says, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Likes => {
                "How many likes an answer gets, all its songs and all people together; likes taken back do not count."
            }
            Self::Dislikes => "How many dislikes an answer gets, counted like the likes.",
            Self::Followed => "Of how many answers somebody followed a listen link, where the platform tells.",
            Self::More => "After how many answers somebody asked for more songs.",
            Self::Deleted => "How many answers somebody deleted.",
            Self::Unsure => "How many answers said that the photo was not clear and the songs are guesses.",
            Self::Repeat => "How many of the people who asked did so on at least two days of the period.",
            Self::MedianTime => "Half of the answers came within this time after the question.",
            Self::SlowTime => "All but one in twenty answers came within this time.",
            Self::Coverage => "How many songs of the catalogue were shown to anybody at least once.",
        }
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Self::Likes | Self::Dislikes => Unit::PerAnswer,
            Self::MedianTime | Self::SlowTime => Unit::Ms,
            _ => Unit::Share,
        }
    }

    /// Whether more of it is good, if it is either.
    pub fn is_good(self) -> Option<bool> {
        match self {
            Self::Likes | Self::Followed | Self::Repeat | Self::Coverage => Some(true),
            Self::Dislikes | Self::Deleted | Self::Unsure | Self::MedianTime | Self::SlowTime => Some(false),
            // Hunger or dissatisfaction: it does not say which.
            Self::More => None,
        }
    }
}

/// All numbers of a group of answers, in the order of [`Kpi::ALL`]; `None` where nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kpis(pub [Option<Estimate>; 10]);

impl Kpis {
    /// One of them.
    pub fn get(&self, kpi: Kpi) -> Option<Estimate> {
        self.0[Kpi::ALL.iter().position(|known| *known == kpi)?]
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = (Kpi, Estimate)> {
        Kpi::ALL.into_iter().zip(self.0).filter_map(|(kpi, estimate)| Some((kpi, estimate?)))
    }
}

impl Serialize for Kpis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rounded = self.0.iter().map(|estimate| estimate.map(rounded));
        serializer.collect_map(Kpi::ALL.iter().map(|kpi| kpi.name()).zip(rounded))
    }
}

/// With four digits after the point, as all numbers in JSON.
pub fn rounded(estimate: Estimate) -> Estimate {
    let round = |value: f64| (value * 1e4).round() / 1e4;
    Estimate { value: round(estimate.value), low: round(estimate.low), high: round(estimate.high) }
}
