//! The photo's regions and the labels of their tags, placed so that no label covers another or leaves the frame.

use super::canvas::{Area, Canvas, Ink};
use super::text::{self, Style};
use super::{BACKGROUND, Colored};
use crate::tagger::regions::Region;

const NAME: Style = Style::bold(19.0, Ink::opaque(0xff, 0xff, 0xff));
const PADDING: f32 = 8.0;
const HEIGHT: f32 = 27.0;
const GAP: f32 = 5.0;
const DOT: f32 = 4.5;
/// A label is cut at this width, or at the frame's if that is narrower.
const MAX_WIDTH: f32 = 260.0;
/// Outlines of regions that share an edge of the photo move in by this much each, so that none hides another.
const NESTING: f32 = 7.0;

/// Draws regions and labels over the photo at `place`; labels may use the whole `frame` around it.
pub fn draw(canvas: &mut Canvas, tags: &[Colored<'_>], place: Area, frame: Area) {
    let mut outlines: Vec<(Region, Area, Ink)> = Vec::new();
    for Colored { tag, color } in tags {
        if !outlines.iter().any(|outline| outline.0 == tag.region) {
            outlines.push((tag.region, outline_area(tag.region, place, outlines.len()), *color));
        }
    }
    for (_, area, color) in &outlines {
        canvas.outline(*area, 9.0, 5.5, BACKGROUND.with_alpha(110));
        canvas.outline(*area, 9.0, 2.8, *color);
    }
    let mut taken: Vec<Area> = Vec::new();
    for Colored { tag, color } in tags {
        let area = outlines.iter().find(|outline| outline.0 == tag.region).map_or(place, |outline| outline.1);
        let name = text::drawable(&tag.name).unwrap_or_else(|| "tag".to_owned());
        let prob = percent(tag.prob);
        let prob_style = Style::bold(17.0, *color);
        let prob_width = text::width(&prob, prob_style);
        let around = 2.0 * PADDING + 2.0 * DOT + 6.0 + 7.0 + prob_width;
        let name = text::fitted(&name, NAME, MAX_WIDTH.min(frame.width - 2.0 * GAP) - around);
        let width = (around + text::width(&name, NAME)).ceil();
        let Some(spot) = place_label(width, area, frame, &taken) else { continue };
        taken.push(spot);
        canvas.fill(spot, 8.0, BACKGROUND.with_alpha(215));
        canvas.outline(spot, 8.0, 1.0, color.with_alpha(150));
        canvas.dot(spot.x + PADDING + DOT, spot.y + HEIGHT / 2.0, DOT, *color);
        let start = spot.x + PADDING + 2.0 * DOT + 6.0;
        let end = start + text::draw(canvas, &name, start, spot.y + 3.5, NAME);
        text::draw(canvas, &prob, end + 7.0, spot.y + 4.5, prob_style);
    }
}

/// `62 %`; never 0 or 100 for what is only nearly so.
fn percent(prob: f32) -> String {
    match (prob * 100.0).round() {
        _ if prob.is_nan() => "–".to_owned(),
        round if round < 1.0 => "<1 %".to_owned(),
        round if round > 99.0 => ">99 %".to_owned(),
        round => format!("{round:.0} %"),
    }
}

/// Where a region lies on the canvas, moved in by its place in the row of outlines.
fn outline_area(region: Region, place: Area, idx: usize) -> Area {
    let fraction = |value: f32| if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let (x0, y0) = (fraction(region.x0), fraction(region.y0));
    let (x1, y1) = (fraction(region.x1).max(x0), fraction(region.y1).max(y0));
    let area = Area {
        x: place.x + x0 * place.width,
        y: place.y + y0 * place.height,
        width: (x1 - x0) * place.width,
        height: (y1 - y0) * place.height,
    };
    area.inset((4.0 + NESTING * (idx % 5) as f32).min(area.width / 8.0).min(area.height / 8.0))
}

/// A free spot for a label: the region's outer corner first and from there along its sides, then its inside, then
/// anywhere in the frame. `None` if the frame is full.
fn place_label(width: f32, region: Area, frame: Area, taken: &[Area]) -> Option<Area> {
    let is_free = |spot: &Area| frame.contains(*spot) && !taken.iter().any(|other| other.overlaps(*spot));
    let at = move |x: f32, y: f32| Area { x: x.round(), y: y.round(), width, height: HEIGHT };
    let (left, right) = (region.x + GAP + 3.0, region.right() - GAP - 3.0 - width);
    let (top, bottom) = (region.y + GAP + 3.0, region.bottom() - GAP - 3.0 - HEIGHT);
    // The corner that is nearest to a corner of the frame tells the region apart from the others.
    let is_left = region.x + region.width / 2.0 <= frame.x + frame.width / 2.0 + 1.0;
    let is_top = region.y + region.height / 2.0 <= frame.y + frame.height / 2.0 + 1.0;
    let (near, far) = if is_left { (left, right) } else { (right, left) };
    let n_rows = (region.height / (HEIGHT + GAP)) as usize + 1;
    let stack = |x: f32, rows: std::ops::Range<usize>| {
        rows.map(move |row| {
            let down = row as f32 * (HEIGHT + GAP);
            at(x, if is_top { top + down } else { bottom - down })
        })
    };
    let inside = stack(near, 0..n_rows.min(4)).chain(stack(far, 0..n_rows)).chain(stack(near, 4..n_rows));
    let columns = (frame.width / 12.0) as usize + 1;
    let lines = (frame.height / 8.0) as usize + 1;
    let anywhere = (0..lines).flat_map(|line| {
        (0..columns).map(move |column| (frame.x + GAP + column as f32 * 12.0, frame.y + GAP + line as f32 * 8.0))
    });
    let mut inside = inside.filter(|spot| spot.y >= region.y && spot.bottom() <= region.bottom());
    inside.find(is_free).or_else(|| {
        let distance = |spot: &Area| {
            let (dx, dy) =
                (spot.x + width / 2.0 - region.x - region.width / 2.0, spot.y - region.y - region.height / 2.0);
            dx.hypot(dy)
        };
        anywhere.map(|(x, y)| at(x, y)).filter(is_free).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_apart_and_inside() {
        for (frame_width, frame_height, most) in
            [(900.0, 675.0, 40), (240.0, 240.0, 7), (240.0, 900.0, 20), (60.0, 30.0, 0)]
        {
            let frame = Area { x: 28.0, y: 28.0, width: frame_width, height: frame_height };
            let mut taken: Vec<Area> = Vec::new();
            for idx in 0..40 {
                let region = frame.inset(idx as f32 % 20.0);
                let Some(spot) = place_label(90.0 + (idx * 13 % 120) as f32, region, frame, &taken) else { continue };
                assert!(frame.contains(spot), "{spot:?}");
                assert!(taken.iter().all(|other| !other.overlaps(spot)), "{spot:?}");
                taken.push(spot);
            }
            assert!(taken.len() >= most, "{} labels in {frame_width} x {frame_height}", taken.len());
        }
    }

    #[test]
    fn near_certainty_is_not_certainty() {
        assert_eq!(percent(0.62), "62 %");
        assert_eq!(percent(0.001), "<1 %");
        assert_eq!(percent(0.999), ">99 %");
    }
}
