//! The placement of a new source. In an empty scene, the source fills the program. Otherwise it
//! covers only a part.

use crate::capture::VideoChoice;
use crate::compose::scene::Placement;

/// Returns the placement of a new source. `alone` is true if the scene is empty.
pub(super) fn of(choice: &VideoChoice, alone: bool) -> Placement {
    let (x, y, width, height) = match choice {
        // A text is placed in the lower third of the frame.
        VideoChoice::Text(_) => (0.05, 0.8, 0.4, 0.1),
        _ if alone => (0.0, 0.0, 1.0, 1.0),
        VideoChoice::Camera(_) => (0.67, 0.65, 0.3, 0.3),
        VideoChoice::Image(_) => (0.72, 0.04, 0.25, 0.25),
        _ => (0.2, 0.2, 0.6, 0.6),
    };
    Placement { x, y, width, height, ..Placement::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_covers_what_is_there() {
        for choice in ["camera", "screen", "image:/a.png", "file:/a.mp4", "color:#000000", "clock"]
        {
            let choice: VideoChoice = choice.parse().unwrap();
            let place = of(&choice, false);
            assert!(place.width * place.height < 0.5, "{choice}");
            assert!(place.x + place.width <= 1.0 && place.y + place.height <= 1.0, "{choice}");
            let alone = of(&choice, true);
            let text = matches!(choice, VideoChoice::Text(_));
            assert_eq!(alone == Placement::default(), !text, "{choice}");
        }
    }
}
