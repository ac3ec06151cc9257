//! Gestures: the times during which the user holds a mouse button in a window.

use crate::studio::Command;

/// Follows the gestures, and tells the studio of each one around the requests that belong to it.
#[derive(Debug, Default)]
pub struct Gesture {
    /// True if the studio knows of a gesture.
    is_known: bool,
    /// True if the user had released the button before the last requests. They may have been the
    /// first of several in one frame.
    is_released: bool,
}

impl Gesture {
    /// Returns the command to send before the requests of a frame, and the one to send after them.
    /// The requests of the frame in which the user releases the button belong to the gesture.
    /// `is_last` is true if no further requests of this frame follow, and false if that is unknown.
    pub fn follow(&mut self, is_held: bool, is_last: bool) -> [Option<Command>; 2] {
        let begins = is_held && !self.is_known;
        let ends = !is_held && self.is_known && (is_last || self.is_released);
        self.is_known = (self.is_known || is_held) && !ends;
        self.is_released = !is_held && self.is_known;
        [begins.then_some(Command::Gesture(true)), ends.then_some(Command::Gesture(false))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what the studio receives from frames of the main window: the begin and the end of
    /// gestures (`true` and `false`), and the requests (`None`). Each frame tells whether the user
    /// holds a button, and whether the window is drawn.
    fn received(frames: &[(bool, bool)]) -> Vec<Option<bool>> {
        let (mut gesture, mut received) = (Gesture::default(), Vec::new());
        let mut follow = |is_held: bool, is_last: bool| {
            let [begin, end] = gesture.follow(is_held, is_last);
            let known = |command: Command| match command {
                Command::Gesture(is_gesture) => Some(is_gesture),
                other => panic!("{other:?}"),
            };
            received.extend(begin.map(known));
            received.push(None);
            received.extend(end.map(known));
        };
        for &(is_held, is_drawn) in frames {
            // The window does not know yet whether it is drawn in this frame.
            follow(is_held, false);
            if is_drawn {
                follow(is_held, true);
            }
        }
        received
    }

    #[test]
    fn a_gesture_encloses_its_requests_also_while_the_main_window_is_hidden() {
        let (begin, end, requests) = (Some(true), Some(false), None);
        let drawn = received(&[(true, true), (false, true)]);
        assert_eq!(drawn, [begin, requests, requests, requests, requests, end]);
        // While the main window is hidden, a panel in a separate window can be dragged.
        let hidden = received(&[(false, false), (true, false), (false, false), (false, false)]);
        assert_eq!(hidden, [requests, begin, requests, requests, requests, end]);
        // The window is hidden while the user holds the button.
        let becomes_hidden = received(&[(true, true), (false, false), (false, false)]);
        assert_eq!(becomes_hidden, [begin, requests, requests, requests, requests, end]);
        // The user releases the button in the frame in which the window is drawn again.
        let becomes_drawn = received(&[(true, false), (false, true)]);
        assert_eq!(becomes_drawn, [begin, requests, requests, requests, end]);
    }
}
