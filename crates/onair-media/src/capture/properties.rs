//! Properties of sources beyond their content, such as the style of a text, the timing of slides,
//! and the visibility of the pointer. This module contains plain values, and the live settings
//! through which an open source gets new ones.

use std::path::PathBuf;

use crate::capture::browser::{BrowserPage, PageInput, PageInputs, StudioBoard};
use crate::capture::camera::control::CameraControls;
use crate::capture::choice::VideoChoice;
use crate::capture::images::slides::Pace;
use crate::capture::screen::area::Area;
use crate::capture::screen::permission::Permissions;
use crate::capture::source::LiveSetting;
use crate::capture::text::{ChatBoard, GuestNames, TextAppearance};
use crate::media::Transport;
use crate::media::feed::FrameDecoder;
use crate::media::playback_control::EndBehavior;

/// The behavior of a media source while no scene on the program shows it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenHidden {
    /// The source continues.
    #[default]
    Plays,
    /// The source pauses, and continues at its position.
    Pauses,
    /// The source pauses at its beginning.
    Restarts,
}

/// The properties of a source. Each kind uses its own part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Properties {
    /// Style of texts and clocks.
    pub text: TextAppearance,
    /// Timing of slide shows.
    pub slides: Pace,
    /// True to capture displays and windows without the pointer.
    pub without_pointer: bool,
    /// Behavior of hidden media files and slide shows.
    pub hidden: WhenHidden,
    /// End behavior of media files.
    pub at_end: EndBehavior,
    /// The files that follow the first file of a media source or slide show, in order.
    pub files: Vec<PathBuf>,
    /// Size, style and behavior of browser pages.
    pub page: Box<BrowserPage>,
}

/// The part of the properties that a kind of source uses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UsedProperties {
    Text,
    Slides,
    Pointer,
    Media,
    /// Camera controls, which the driver defines.
    Camera,
    Page,
}

impl UsedProperties {
    /// Returns the properties that apply to a choice, or `None` if its kind has none.
    pub fn of(choice: &VideoChoice) -> Option<Self> {
        match choice {
            VideoChoice::Text(_) => Some(Self::Text),
            VideoChoice::Slides(_) => Some(Self::Slides),
            VideoChoice::Screen(_) | VideoChoice::Window(_) => Some(Self::Pointer),
            VideoChoice::File(_) => Some(Self::Media),
            VideoChoice::Camera(_) => Some(Self::Camera),
            VideoChoice::Browser(_) => Some(Self::Page),
            _ => None,
        }
    }
}

impl Properties {
    /// Maximum number of additional files.
    pub const MAX_ADDITIONAL_FILES: usize = 200;

    /// Returns the properties that this source uses, with defaults for the other properties.
    pub fn heeded(&self, choice: &VideoChoice) -> Self {
        let none = Self::default();
        match UsedProperties::of(choice) {
            Some(UsedProperties::Text) => Self { text: self.text.clone(), ..none },
            Some(UsedProperties::Slides) => {
                let (slides, hidden, files) = (self.slides, self.hidden, self.files.clone());
                Self { slides, hidden, files, ..none }
            }
            Some(UsedProperties::Media) => {
                let (hidden, at_end, files) = (self.hidden, self.at_end, self.files.clone());
                Self { hidden, at_end, files, ..none }
            }
            Some(UsedProperties::Pointer) => Self { without_pointer: self.without_pointer, ..none },
            Some(UsedProperties::Page) => Self { page: self.page.clone(), ..none },
            // Camera controls belong to the camera, not to a source.
            Some(UsedProperties::Camera) | None => none,
        }
    }

    /// Returns the properties with every value clamped to its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        let mut files = self.files;
        files.truncate(Self::MAX_ADDITIONAL_FILES);
        let (text, page) = (self.text.bounded(), Box::new(self.page.bounded()));
        Self { text, slides: self.slides.bounded(), files, page, ..self }
    }

    /// Returns true if both sets of properties differ only in sliders or typed text, not in a
    /// switch.
    pub fn differs_only_in_values(&self, other: &Self) -> bool {
        self.text.differs_only_in_values(&other.text)
            && (self.slides.order, self.slides.repeat) == (other.slides.order, other.slides.repeat)
            && self.without_pointer == other.without_pointer
            && (self.hidden, self.at_end, &self.files) == (other.hidden, other.at_end, &other.files)
            && self.page.differs_only_in_values(&other.page)
    }
}

/// Reasons to watch a media file for black or frozen video. Without a reason, the file is not
/// watched, because such video can be intentional if other sources are visible.
#[derive(Clone, Debug, Default)]
pub struct WatchedFile {
    fallback: LiveSetting<bool>,
    alone: LiveSetting<bool>,
}

impl WatchedFile {
    /// Returns true if there is currently a reason.
    pub fn is_wanted(&self) -> bool {
        self.fallback.get() || self.alone.get()
    }
}

/// The live properties of an open source.
#[derive(Clone, Debug, Default)]
pub struct LiveProperties {
    pub(super) text: LiveSetting<TextAppearance>,
    pub(super) slides: LiveSetting<Pace>,
    pub(super) without_pointer: LiveSetting<bool>,
    pub(super) page: LiveSetting<BrowserPage>,
    /// The number of requests to load a browser page again.
    pub(super) page_refreshes: LiveSetting<u32>,
    /// What the user does on a browser page.
    pub(super) page_inputs: PageInputs,
    /// The captured part of a display.
    pub(super) region: LiveSetting<Option<Area>>,
    watched: WatchedFile,
    transport: LiveSetting<Transport>,
    /// The shared controls of all cameras. The studio sets this field before it opens a camera.
    pub controls: LiveSetting<CameraControls>,
    /// The permissions of the desktop. The studio sets this field before it opens a display or
    /// window.
    pub permissions: LiveSetting<Permissions>,
    /// The state of the studio for browser pages. The studio sets this field before it opens a page.
    pub studio: LiveSetting<StudioBoard>,
    /// The messages of the chat. The studio sets this field before it opens a text.
    pub chat: LiveSetting<ChatBoard>,
    /// The names of guests. The studio sets this field before it opens a text.
    pub guest_names: LiveSetting<GuestNames>,
    /// The decoder for compressed camera frames. The studio sets this field before it opens a
    /// camera.
    pub decoder: LiveSetting<FrameDecoder>,
}

impl LiveProperties {
    pub fn new(properties: &Properties) -> Self {
        let dials = Self::default();
        dials.set(properties);
        dials
    }

    /// Sets the properties, which the source applies immediately.
    pub fn set(&self, properties: &Properties) {
        self.text.set(properties.text.clone());
        self.slides.set(properties.slides);
        self.without_pointer.set(properties.without_pointer);
        self.page.set(BrowserPage::clone(&properties.page));
        self.transport().set_at_end(properties.at_end);
        self.transport().set_then(&properties.files);
    }

    /// Sets the region of a display, which the open source shows immediately.
    pub fn set_region(&self, choice: &VideoChoice) {
        let part = if let VideoChoice::Screen(screen) = choice { screen.part } else { None };
        self.region.set(part);
    }

    /// Loads a browser page again.
    pub fn refresh_page(&self) {
        self.page_refreshes.set(self.page_refreshes.get().wrapping_add(1));
    }

    /// Passes on what the user does on a browser page.
    pub fn page_input(&self, input: PageInput) {
        self.page_inputs.push(input);
    }

    /// Sets whether another source replaces a media file while it is black or frozen.
    pub fn set_fallback(&self, has_fallback: bool) {
        self.watched.fallback.set(has_fallback);
    }

    /// Sets whether a media file is the only visible source of the program.
    pub fn set_alone(&self, alone: bool) {
        self.watched.alone.set(alone);
    }

    /// Returns the reasons to watch a media file.
    pub fn watched(&self) -> WatchedFile {
        self.watched.clone()
    }

    /// Returns the playback control of the source, if it plays media.
    pub fn transport(&self) -> Transport {
        self.transport.get()
    }

    /// Sets the playback control of a source that was already open.
    pub fn set_transport(&self, transport: Transport) {
        transport.set_at_end(self.transport().at_end());
        transport.set_then(&self.transport().then());
        self.transport.set(transport);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_heeds_what_is_its_own() {
        let hidden = WhenHidden::Pauses;
        let at_end = EndBehavior::Hold;
        let mut properties =
            Properties { without_pointer: true, hidden, at_end, ..Properties::default() };
        properties.files = vec!["/y.mp4".into()];
        properties.text.style.size = 99;
        let heeded = |choice: &str| properties.heeded(&choice.parse().unwrap());
        assert_eq!(heeded("text:a").text.style.size, 99);
        assert!(!heeded("clock").without_pointer);
        assert!(heeded("window:a/b").without_pointer);
        assert_eq!(heeded("screen").text, TextAppearance::default());
        assert_eq!(heeded("slides:/x").hidden, WhenHidden::Pauses);
        assert_eq!(heeded("file:/x.mp4").hidden, WhenHidden::Pauses);
        assert_eq!(heeded("file:/x.mp4").at_end, EndBehavior::Hold);
        assert_eq!(heeded("file:/x.mp4").files.len(), 1);
        assert_eq!(heeded("slides:/x").files.len(), 1);
        assert_eq!(heeded("slides:/x").at_end, EndBehavior::Loop);
        assert_eq!(heeded("text:a").hidden, WhenHidden::Plays);
        assert_eq!(heeded("image:/x.png"), Properties::default());
    }

    #[test]
    fn what_is_open_already_ends_as_the_source_says() {
        let at_end = EndBehavior::Clear;
        let dials = LiveProperties::new(&Properties { at_end, ..Properties::default() });
        let open = Transport::default();
        dials.set_transport(open.clone());
        assert_eq!(open.at_end(), EndBehavior::Clear);
        dials.set(&Properties::default());
        assert_eq!(open.at_end(), EndBehavior::Loop);
    }
}
