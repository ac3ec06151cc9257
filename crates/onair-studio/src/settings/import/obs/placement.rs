//! Converts the placements and blend modes of items in OBS's files. A placement is in pixels around
//! an alignment point, with the source's own size times a scale, or in a box.

use serde_json::Value;

use crate::compose::scene::{Blend, Crop, Fit, Placement};
use crate::studio::settings::import::obs::json::number;

/// Maximum difference at which two scales count as equal.
const SCALE_TOLERANCE: f64 = 1e-3;

/// Converts the placement of an item. `size` is the size of its content in pixels. If that is
/// unknown, the canvas size is used, and the result states whether the assumption had an effect. A
/// `whole` item (a group) is not cropped. Its own size begins at the top left corner of the canvas
/// on which it shows its members.
pub fn place(
    table: &Value,
    size: Option<(f64, f64)>,
    canvas: (f64, f64),
    whole: bool,
) -> (Placement, bool) {
    let point = |key: &str, default: f64| {
        let value = table.get(key);
        let part = |axis| value.and_then(|it| number(it, axis)).unwrap_or(default);
        (part("x"), part("y"))
    };
    let natural = size.unwrap_or(canvas);
    let (scale, position) = (point("scale", 1.0), point("pos", 0.0));
    let crop =
        |key: &str, length: f64| number(table, key).unwrap_or(0.0).max(0.0) / length.max(1.0);
    let crop = Crop {
        left: crop("crop_left", natural.0),
        top: crop("crop_top", natural.1),
        right: crop("crop_right", natural.0),
        bottom: crop("crop_bottom", natural.1),
    };
    let crop = if whole { Crop::default() } else { crop.bounded() };
    let cut = crop != Crop::default();
    let seen =
        (natural.0 * (1.0 - crop.left - crop.right), natural.1 * (1.0 - crop.top - crop.bottom));
    let bounds = point("bounds", 0.0);
    let kind = number(table, "bounds_type").unwrap_or(0.0) as i64;
    let kind = if bounds.0 > 0.0 && bounds.1 > 0.0 { kind } else { 0 };
    let even = (scale.0.abs() - scale.1.abs()).abs() < SCALE_TOLERANCE;
    let fit = if even { Fit::Contain } else { Fit::Stretch };
    let scaled = (seen.0 * scale.0.abs(), seen.1 * scale.1.abs());
    // The box that is rotated and aligned, the content that is drawn in it, and how it fits.
    let by = |share: f64| (seen.0 * share, seen.1 * share);
    let (room, drawn, fit) = match kind {
        1 => (bounds, bounds, Fit::Stretch),
        2 if size.is_some() => {
            (bounds, by((bounds.0 / seen.0).min(bounds.1 / seen.1)), Fit::Contain)
        }
        2 => (bounds, bounds, Fit::Contain),
        // A group is larger than its box instead of cropped.
        3 if whole => (bounds, by((bounds.0 / seen.0).max(bounds.1 / seen.1)), Fit::Contain),
        3 => (bounds, bounds, Fit::Cover),
        4 => (bounds, by(bounds.0 / seen.0), Fit::Contain),
        5 => (bounds, by(bounds.1 / seen.1), Fit::Contain),
        6 => (bounds, by((bounds.0 / seen.0).min(bounds.1 / seen.1).min(1.0)), Fit::Contain),
        _ => (scaled, scaled, fit),
    };
    // The offset from the center of a box to that of the content aligned in it.
    let offset = |align: i64, low: i64, high: i64, length: f64| match (
        align & low != 0,
        align & high != 0,
    ) {
        (true, _) => length / 2.0,
        (_, true) => -length / 2.0,
        _ => 0.0,
    };
    let align = number(table, "align").unwrap_or(5.0) as i64;
    let inside = number(table, "bounds_align").unwrap_or(0.0) as i64;
    // Without a box, OBS flips an item around its alignment point.
    let side = (scale.0.signum(), scale.1.signum());
    let aligned = if kind == 0 { (room.0 * side.0, room.1 * side.1) } else { room };
    let (mut dx, mut dy) = (
        offset(align, 1, 2, aligned.0) - offset(inside, 1, 2, room.0 - drawn.0),
        offset(align, 4, 8, aligned.1) - offset(inside, 4, 8, room.1 - drawn.1),
    );
    let mut drawn = drawn;
    if whole {
        // The members keep their place at the group's own corner.
        let all = (drawn.0 * canvas.0 / natural.0, drawn.1 * canvas.1 / natural.1);
        dx += (all.0 - drawn.0) / 2.0 * side.0;
        dy += (all.1 - drawn.1) / 2.0 * side.1;
        drawn = all;
    }
    let unsure = size.is_none()
        && match whole {
            // A group that is placed by this corner is there at any size.
            true => kind != 0 || align & 5 != 5,
            false => cut || !matches!(kind, 1..=3),
        };
    // OBS rotates around the alignment point, onair around the center.
    let rotation = number(table, "rot").unwrap_or(0.0);
    let (sin, cos) = rotation.to_radians().sin_cos();
    let middle = (position.0 + dx * cos - dy * sin, position.1 + dx * sin + dy * cos);
    let place = Placement {
        x: (middle.0 - drawn.0 / 2.0) / canvas.0,
        y: (middle.1 - drawn.1 / 2.0) / canvas.1,
        width: drawn.0 / canvas.0,
        height: drawn.1 / canvas.1,
        fit,
        rotation,
        crop,
        flip_x: scale.0 < 0.0,
        flip_y: scale.1 < 0.0,
    };
    (place.bounded(), unsure)
}

/// Returns the blend mode of an item.
pub fn blend(name: &str) -> Blend {
    match name {
        "additive" => Blend::Add,
        "subtract" => Blend::Subtract,
        "screen" => Blend::Screen,
        "multiply" => Blend::Multiply,
        "lighten" => Blend::Lighten,
        "darken" => Blend::Darken,
        _ => Blend::Normal,
    }
}

/// Returns the canvas size of a collection.
pub fn canvas(json: &Value) -> (f64, f64) {
    let side = |key| json.get("resolution").and_then(|it| number(it, key));
    let valid = |side: &f64| (2.0..=16_384.0).contains(side);
    match (side("x").filter(valid), side("y").filter(valid)) {
        (Some(width), Some(height)) => (width, height),
        // The canvas size is stored in a profile outside the collection, so the usual size is
        // assumed.
        _ => (1_920.0, 1_080.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CANVAS_SIZE: (f64, f64) = (1_280.0, 720.0);

    /// Returns left, top, width and height in pixels.
    fn pixels(table: &Value, size: Option<(f64, f64)>) -> [f64; 4] {
        box_of(place(table, size, CANVAS_SIZE, false).0)
    }

    fn box_of(place: Placement) -> [f64; 4] {
        let all = [
            place.x * CANVAS_SIZE.0,
            place.y * CANVAS_SIZE.1,
            place.width * CANVAS_SIZE.0,
            place.height * CANVAS_SIZE.1,
        ];
        all.map(|it| (it * 100.0).round() / 100.0)
    }

    #[test]
    fn what_has_no_bounds_is_as_large_as_it_is() {
        let size = Some((200.0, 100.0));
        let at = json!({"pos": {"x": 30, "y": 40}});
        assert_eq!(pixels(&at, size), [30.0, 40.0, 200.0, 100.0]);
        let scaled = json!({"pos": {"x": 30, "y": 40}, "scale": {"x": 0.5, "y": 2}});
        assert_eq!(pixels(&scaled, size), [30.0, 40.0, 100.0, 200.0]);
        assert_eq!(place(&scaled, size, CANVAS_SIZE, false).0.fit, Fit::Stretch);
        let centred = json!({"pos": {"x": 640, "y": 360}, "align": 0});
        assert_eq!(pixels(&centred, size), [540.0, 310.0, 200.0, 100.0]);
        let cut = json!({"crop_left": 50, "crop_bottom": 25});
        assert_eq!(pixels(&cut, size), [0.0, 0.0, 150.0, 75.0]);
        let (place_of, unsure) = place(&cut, size, CANVAS_SIZE, false);
        assert_eq!((place_of.crop.left, place_of.crop.bottom, unsure), (0.25, 0.25, false));
        // The item is rotated around its corner.
        let turned = json!({"pos": {"x": 300, "y": 300}, "rot": 90});
        assert_eq!(pixels(&turned, size), [150.0, 350.0, 200.0, 100.0]);
        let (place, unsure) = place(&at, None, CANVAS_SIZE, false);
        assert!(unsure && (place.width - 1.0).abs() < 1e-9, "the canvas, and told");
    }

    #[test]
    fn flips_are_around_the_alignment_point_unless_there_is_a_box() {
        let size = Some((200.0, 100.0));
        let flipped = |align: i64| {
            let scale = json!({"x": -1, "y": 1});
            json!({"pos": {"x": 230, "y": 40}, "scale": scale, "align": align})
        };
        assert_eq!(pixels(&flipped(5), size), [30.0, 40.0, 200.0, 100.0]);
        assert!(place(&flipped(5), size, CANVAS_SIZE, false).0.flip_x);
        assert_eq!(pixels(&flipped(2), size), [230.0, -10.0, 200.0, 100.0], "at its right");
        assert_eq!(pixels(&flipped(0), size), [130.0, -10.0, 200.0, 100.0], "in the middle");
        let down = json!({"pos": {"x": 0, "y": 140}, "scale": {"x": 1, "y": -1}});
        assert_eq!(pixels(&down, size), [0.0, 40.0, 200.0, 100.0]);
        let turned = json!({"pos": {"x": 300, "y": 300}, "scale": {"x": -1, "y": 1}, "rot": 90});
        assert_eq!(pixels(&turned, size), [150.0, 150.0, 200.0, 100.0]);
        let boxed = json!({"pos": {"x": 30, "y": 40}, "scale": {"x": -1, "y": 1},
                           "bounds_type": 1, "bounds": {"x": 400, "y": 400}});
        assert_eq!(pixels(&boxed, size), [30.0, 40.0, 400.0, 400.0]);
    }

    #[test]
    fn groups_are_placed_by_their_own_size() {
        let of = |table: Value| box_of(place(&table, Some((400.0, 200.0)), CANVAS_SIZE, true).0);
        let middle = json!({"pos": {"x": 640, "y": 360}, "align": 0});
        assert_eq!(of(middle.clone()), [440.0, 260.0, 1_280.0, 720.0]);
        let turned = json!({"pos": {"x": 640, "y": 360}, "align": 0, "rot": 90});
        assert_eq!(of(turned), [-260.0, 440.0, 1_280.0, 720.0]);
        let flipped = json!({"pos": {"x": 500, "y": 0}, "scale": {"x": -1, "y": 1}});
        assert_eq!(of(flipped.clone()), [-780.0, 0.0, 1_280.0, 720.0]);
        let boxed = |kind: i64| json!({"bounds_type": kind, "bounds": {"x": 800, "y": 800}});
        assert_eq!(of(boxed(1)), [0.0, 0.0, 2_560.0, 2_880.0]);
        assert_eq!(of(boxed(2)), [0.0, 200.0, 2_560.0, 1_440.0]);
        assert_eq!(of(boxed(3)), [-400.0, 0.0, 5_120.0, 2_880.0]);
        let unsure = |table: &Value| place(table, None, CANVAS_SIZE, true).1;
        assert!(unsure(&middle) && unsure(&boxed(2)) && !unsure(&flipped));
    }

    #[test]
    fn boxes_hold_what_they_are_for() {
        let size = Some((200.0, 100.0));
        let of = |kind: i64, inside: i64| {
            pixels(
                &json!({"pos": {"x": 100, "y": 100}, "bounds_type": kind, "bounds_align": inside,
                        "bounds": {"x": 400, "y": 400}}),
                size,
            )
        };
        assert_eq!(of(1, 0), [100.0, 100.0, 400.0, 400.0]);
        assert_eq!(of(2, 0), [100.0, 200.0, 400.0, 200.0]);
        assert_eq!(of(2, 4), [100.0, 100.0, 400.0, 200.0], "at its top");
        assert_eq!(of(2, 8), [100.0, 300.0, 400.0, 200.0], "at its bottom");
        assert_eq!(of(3, 0), [100.0, 100.0, 400.0, 400.0]);
        assert_eq!(of(4, 0), [100.0, 200.0, 400.0, 200.0]);
        assert_eq!(of(5, 1), [100.0, 100.0, 800.0, 400.0]);
        assert_eq!(of(6, 5), [100.0, 100.0, 200.0, 100.0], "no larger than it is");
        let unknown = json!({"bounds_type": 2, "bounds": {"x": 400, "y": 400}});
        assert_eq!(pixels(&unknown, None), [0.0, 0.0, 400.0, 400.0]);
        assert!(!place(&unknown, None, CANVAS_SIZE, false).1);
    }
}
