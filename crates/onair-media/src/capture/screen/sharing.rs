//! Choices that need the sharing dialog, and the names of their stored permissions.

use crate::capture::choice::VideoChoice;
use crate::capture::screen::permission::{MAX_CHOICES, old_screen_key, screen_key, window_key};
use crate::capture::screen::target::{DisplayTarget, SHARED_CONTENT_ID, is_wayland};

/// Returns the name of this choice's tokens, or `None` if the choice needs no dialog.
pub fn key(choice: &VideoChoice) -> Option<String> {
    match choice {
        VideoChoice::Screen(screen) => screen_key(screen.id.as_deref()),
        VideoChoice::Window(id) => window_key(id),
        _ => None,
    }
}

/// Returns the names under which this choice's tokens can be stored, the current one first.
pub fn stored_keys(choice: &VideoChoice) -> impl Iterator<Item = String> {
    let key = key(choice);
    let part = if let VideoChoice::Screen(screen) = choice { screen.part } else { None };
    let old = key.as_ref().zip(part).map(|(key, part)| old_screen_key(key, part));
    key.into_iter().chain(old)
}

/// Returns true if this choice needs the sharing dialog in this session.
pub fn asks_desktop(choice: &VideoChoice) -> bool {
    let as_session = matches!(choice, VideoChoice::Screen(screen) if screen.id.is_none());
    key(choice).is_some() && (!as_session || is_wayland())
}

/// Returns the choice for one more display or window, with a separate dialog. The first choice of
/// this kind has no number.
pub fn another(window: bool, there: &[&VideoChoice]) -> VideoChoice {
    let taken: Vec<String> = there.iter().filter_map(|choice| key(choice)).collect();
    let plain = if window {
        VideoChoice::Window(SHARED_CONTENT_ID.to_owned())
    } else {
        VideoChoice::Screen(DisplayTarget::default())
    };
    let named = (2..=MAX_CHOICES + 1).map(|number| {
        let id = format!("{SHARED_CONTENT_ID}/{number}");
        if window {
            VideoChoice::Window(id)
        } else {
            VideoChoice::Screen(DisplayTarget { id: Some(id), ..DisplayTarget::default() })
        }
    });
    let free = |choice: &VideoChoice| key(choice).is_none_or(|key| !taken.contains(&key));
    std::iter::once(plain.clone()).chain(named).find(free).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_display_has_its_own_name() {
        let choice = |text: &str| text.parse::<VideoChoice>().unwrap();
        assert_eq!(another(false, &[]), choice("screen"));
        assert_eq!(another(true, &[&choice("screen")]), choice("window:wayland"));
        let there = [choice("screen:wayland"), choice("screen:wayland/2"), choice("test")];
        assert_eq!(another(false, &there.each_ref()), choice("screen:wayland/3"));
    }

    #[test]
    fn only_what_the_desktop_is_asked_for_has_a_name() {
        let key = |text: &str| key(&text.parse().unwrap());
        assert_eq!(key("screen:wayland/left").unwrap(), "screen:wayland/left");
        assert_eq!(key("screen:@64x32+0+0").unwrap(), "screen:wayland", "for every region");
        let stored: Vec<String> = stored_keys(&"screen:@64x32+0+0".parse().unwrap()).collect();
        assert_eq!(stored, ["screen:wayland", "screen:wayland@64x32+0+0"]);
        assert_eq!(key("window:wayland").unwrap(), "window:wayland");
        for x11 in
            ["screen:HDMI-1", "screen:x11", "window:Browser/News", "camera", "screen:waylandia"]
        {
            assert_eq!(key(x11), None, "{x11}");
        }
    }
}
