//! How well tag probabilities fit stated tags: average precision per source, top-1, recall@5, calibration.

use serde::Serialize;

/// What is known of one photo's tags, as indexes into the vocabulary.
#[derive(Debug, Clone)]
pub struct Truth<'a> {
    /// Where the photo comes from.
    pub source: &'a str,
    /// Tags that are true.
    pub stated: Vec<usize>,
    /// Tags of which nobody knows.
    pub unsure: Vec<usize>,
    /// Tags whose absence from `stated` and `unsure` says that they are false.
    pub known: Vec<usize>,
}

/// Figures of one source, or their mean over sources.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// Name of the source.
    pub source: String,
    /// Photos.
    pub n_photos: usize,
    /// Tags that count for `map`.
    pub n_tags: usize,
    /// Mean average precision over tags with at least [`MIN_POSITIVES`] true photos; unsure photos are left out.
    pub map: Option<f64>,
    /// Tags that count for `map_strict`.
    pub n_tags_strict: usize,
    /// The same with unsure counted as false.
    pub map_strict: Option<f64>,
    /// Share of photos whose most probable tag (of those that the source knows or states) is stated.
    pub top1: f64,
    /// Share whose most probable tag is stated or unsure.
    pub top1_open: f64,
    /// Share of the stated tags (at most 5 a photo) among the five most probable.
    pub recall5: f64,
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// A row per source, in order of first appearance.
    pub sources: Vec<Row>,
    /// Mean of the rows.
    pub mean: Row,
    /// Expected calibration error over labels that are stated or denied, 15 equal bins of probability.
    pub calibration_error: f64,
    /// Labels, mean probability and share true of each bin that has labels.
    pub calibration: Vec<(usize, f64, f64)>,
}

/// True photos that a tag needs to count in a mean average precision.
pub const MIN_POSITIVES: usize = 3;
const N_BINS: usize = 15;

/// Judges `probs [n_photos, n_tags]`.
///
/// # Panics
/// If `probs` is shorter than its shape.
pub fn report(truths: &[Truth], probs: &[f32], n_tags: usize) -> Report {
    let mut names: Vec<&str> = Vec::new();
    for truth in truths {
        if !names.contains(&truth.source) {
            names.push(truth.source);
        }
    }
    let sources: Vec<Row> = names.iter().map(|name| source_row(name, truths, probs, n_tags)).collect();
    let (calibration_error, calibration) = calibration(truths, probs, n_tags);
    Report { mean: mean_row(&sources), sources, calibration_error, calibration }
}

fn source_row(name: &str, truths: &[Truth], probs: &[f32], n_tags: usize) -> Row {
    let photos: Vec<usize> = (0..truths.len()).filter(|&i| truths[i].source == name).collect();
    let mut own = vec![false; n_tags];
    let mut known = vec![false; n_tags];
    for &photo in &photos {
        truths[photo].stated.iter().for_each(|&tag| own[tag] = true);
        truths[photo].known.iter().for_each(|&tag| (own[tag], known[tag]) = (true, true));
    }
    let mut precisions = [Vec::new(), Vec::new()];
    for tag in (0..n_tags).filter(|&tag| own[tag]) {
        for (is_strict, precisions) in [false, true].into_iter().zip(&mut precisions) {
            let ranked = photos.iter().filter_map(|&photo| {
                let truth = &truths[photo];
                let is_stated = truth.stated.contains(&tag);
                let is_unsure = truth.unsure.contains(&tag);
                let counts = is_stated || if is_unsure { is_strict } else { known[tag] };
                counts.then_some((probs[photo * n_tags + tag], is_stated))
            });
            precisions.extend(average_precision(ranked.collect()));
        }
    }
    let mut row = Row { source: name.to_owned(), n_photos: photos.len(), ..Row::default() };
    let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    (row.n_tags, row.map) = (precisions[0].len(), mean(&precisions[0]));
    (row.n_tags_strict, row.map_strict) = (precisions[1].len(), mean(&precisions[1]));
    let n_photos = photos.len().max(1) as f64;
    for &photo in &photos {
        let truth = &truths[photo];
        let mut order: Vec<usize> = (0..n_tags).filter(|&tag| own[tag]).collect();
        order.sort_by(|&a, &b| probs[photo * n_tags + b].total_cmp(&probs[photo * n_tags + a]).then(a.cmp(&b)));
        order.truncate(5);
        if let Some(best) = order.first() {
            let is_stated = truth.stated.contains(best);
            row.top1 += f64::from(u8::from(is_stated)) / n_photos;
            row.top1_open += f64::from(u8::from(is_stated || truth.unsure.contains(best))) / n_photos;
        }
        let hits = order.iter().filter(|tag| truth.stated.contains(tag)).count();
        row.recall5 += hits as f64 / truth.stated.len().clamp(1, 5) as f64 / n_photos;
    }
    row
}

/// Mean precision at each true photo of the ranking; none with too few true photos or without a false one.
fn average_precision(mut ranked: Vec<(f32, bool)>) -> Option<f64> {
    let n_true = ranked.iter().filter(|(_, is_true)| *is_true).count();
    if n_true < MIN_POSITIVES || n_true == ranked.len() {
        return None;
    }
    // Ties put the false first, so that a constant score cannot look good.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut n_found = 0;
    let mut sum = 0.0;
    for (place, (_, is_true)) in ranked.iter().enumerate() {
        if *is_true {
            n_found += 1;
            sum += f64::from(n_found) / (place + 1) as f64;
        }
    }
    Some(sum / n_true as f64)
}

fn mean_row(rows: &[Row]) -> Row {
    let average = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let some = |pick: fn(&Row) -> Option<f64>| {
        let values: Vec<f64> = rows.iter().filter_map(pick).collect();
        (!values.is_empty()).then(|| average(values))
    };
    Row {
        source: "mean of sources".to_owned(),
        n_photos: rows.iter().map(|row| row.n_photos).sum(),
        n_tags: 0,
        map: some(|row| row.map),
        n_tags_strict: 0,
        map_strict: some(|row| row.map_strict),
        top1: average(rows.iter().map(|row| row.top1).collect()),
        top1_open: average(rows.iter().map(|row| row.top1_open).collect()),
        recall5: average(rows.iter().map(|row| row.recall5).collect()),
    }
}

fn calibration(truths: &[Truth], probs: &[f32], n_tags: usize) -> (f64, Vec<(usize, f64, f64)>) {
    let mut bins = vec![(0usize, 0.0f64, 0.0f64); N_BINS];
    for (truth, probs) in truths.iter().zip(probs.chunks_exact(n_tags)) {
        let mut labels: Vec<(usize, bool)> = truth
            .known
            .iter()
            .filter(|tag| !truth.unsure.contains(tag) && !truth.stated.contains(tag))
            .map(|&tag| (tag, false))
            .collect();
        labels.extend(truth.stated.iter().map(|&tag| (tag, true)));
        for (tag, is_true) in labels {
            let bin = &mut bins[((probs[tag] * N_BINS as f32) as usize).min(N_BINS - 1)];
            bin.0 += 1;
            bin.1 += f64::from(probs[tag]);
            bin.2 += f64::from(u8::from(is_true));
        }
    }
    let n_labels = bins.iter().map(|bin| bin.0).sum::<usize>().max(1) as f64;
    let error = bins.iter().map(|bin| (bin.1 - bin.2).abs()).sum::<f64>() / n_labels;
    let bins = bins.into_iter().filter(|bin| bin.0 > 0);
    (error, bins.map(|(n, sum, n_true)| (n, sum / n as f64, n_true / n as f64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_precision_of_known_rankings() {
        let ranking = |truths: &[bool]| {
            let n = truths.len() as f32;
            average_precision(truths.iter().enumerate().map(|(i, &t)| (n - i as f32, t)).collect())
        };
        assert_eq!(ranking(&[true, true, true, false]), Some(1.0));
        assert_eq!(ranking(&[false, true, true, true]), Some((1.0 / 2.0 + 2.0 / 3.0 + 3.0 / 4.0) / 3.0));
        assert_eq!(ranking(&[true, true, false]), None, "too few");
        assert_eq!(ranking(&[true, true, true]), None, "nothing to tell apart");
        let constant = average_precision(vec![(0.5, true), (0.5, true), (0.5, true), (0.5, false)]);
        assert!(constant < Some(0.65));
    }

    #[test]
    fn unsure_counts_as_false_only_when_strict() {
        let truth = |stated: &[usize], unsure: &[usize]| Truth {
            source: "a",
            stated: stated.to_vec(),
            unsure: unsure.to_vec(),
            known: vec![0, 1],
        };
        let truths = [truth(&[0], &[]), truth(&[0], &[]), truth(&[0], &[]), truth(&[1], &[0]), truth(&[1], &[])];
        let probs = [0.9, 0.1, 0.8, 0.1, 0.5, 0.1, 0.6, 0.9, 0.1, 0.9];
        let report = report(&truths, &probs, 2);
        assert_eq!(report.sources[0].map, Some(1.0));
        assert!(report.sources[0].map_strict < Some(1.0));
        assert_eq!(report.mean.top1, 1.0);
    }
}
