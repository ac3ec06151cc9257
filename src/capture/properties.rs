//! What sources are set by beside what they show: how a text looks, how slides
//! follow each other, whether the pointer is seen. Plain values, and the dials by which an open source
//! takes others.

use std::path::PathBuf;

use crate::capture::camera::control::CameraControls;
use crate::capture::choice::VideoChoice;
use crate::capture::images::slides::Pace;
use crate::capture::screen::permission::Permissions;
use crate::capture::source::LiveSetting;
use crate::capture::text::TextAppearance;
use crate::media::Transport;
use crate::media::feed::FrameDecoder;
use crate::media::playback_control::EndBehavior;

/// What becomes of something that plays while no scene on the program shows it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenHidden {
    /// It continues.
    #[default]
    Plays,
    /// It stands, and continues where it was.
    Pauses,
    /// It stands, and begins again from its beginning.
    Restarts,
}

/// What a source is set by. Each kind heeds its own part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Properties {
    /// Of texts and clocks.
    pub text: TextAppearance,
    /// Of slide shows.
    pub slides: Pace,
    /// Screens and windows are shown without the pointer.
    pub without_pointer: bool,
    /// Of media files and slide shows.
    pub hidden: WhenHidden,
    /// Of media files.
    pub at_end: EndBehavior,
    /// Of media files and slide shows: what is played after the file that is shown, one after the other.
    pub files: Vec<PathBuf>,
}

/// Which part of the properties a kind of source heeds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UsedProperties {
    Text,
    Slides,
    Pointer,
    Media,
    /// Its driver tells what.
    Camera,
}

impl UsedProperties {
    /// `None`: nothing but what it shows.
    pub fn of(choice: &VideoChoice) -> Option<Self> {
        match choice {
            VideoChoice::Text(_) => Some(Self::Text),
            VideoChoice::Slides(_) => Some(Self::Slides),
            VideoChoice::Screen(_) | VideoChoice::Window(_) => Some(Self::Pointer),
            VideoChoice::File(_) => Some(Self::Media),
            VideoChoice::Camera(_) => Some(Self::Camera),
            _ => None,
        }
    }
}

impl Properties {
    /// Files that follow the first.
    pub const MAX_FILES: usize = 200;

    /// Those that matter to this source, the rest as in the beginning.
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
            // What is set of a camera belongs to the camera, not to a source.
            Some(UsedProperties::Camera) | None => none,
        }
    }

    /// With every number where it may be.
    #[must_use]
    pub fn bounded(self) -> Self {
        let mut files = self.files;
        files.truncate(Self::MAX_FILES);
        Self { text: self.text.bounded(), slides: self.slides.bounded(), files, ..self }
    }

    /// Whether only what is drawn with a slider or typed differs, nothing that is switched.
    pub fn is_drawn_from(&self, other: &Self) -> bool {
        self.text.is_drawn_from(&other.text)
            && (self.slides.order, self.slides.repeat) == (other.slides.order, other.slides.repeat)
            && self.without_pointer == other.without_pointer
            && (self.hidden, self.at_end, &self.files) == (other.hidden, other.at_end, &other.files)
    }
}

/// Why a media file is looked at: whether it is black or stands still. One among other sources may be
/// so on purpose.
#[derive(Clone, Debug, Default)]
pub struct WatchedFile {
    fallback: LiveSetting<bool>,
    alone: LiveSetting<bool>,
}

impl WatchedFile {
    /// Whether there is a reason now.
    pub fn is_wanted(&self) -> bool {
        self.fallback.get() || self.alone.get()
    }
}

/// By which an open source is given other properties.
#[derive(Clone, Debug, Default)]
pub struct LiveProperties {
    pub(super) text: LiveSetting<TextAppearance>,
    pub(super) slides: LiveSetting<Pace>,
    pub(super) without_pointer: LiveSetting<bool>,
    watched: WatchedFile,
    transport: LiveSetting<Transport>,
    /// What is wanted of cameras, and what they have: the studio's, before a camera is opened.
    pub controls: LiveSetting<CameraControls>,
    /// What the desktop has allowed: the studio's, before a screen or window is opened.
    pub permissions: LiveSetting<Permissions>,
    /// Who decodes what cameras give compressed: the studio's, before a camera is opened.
    pub decoder: LiveSetting<FrameDecoder>,
}

impl LiveProperties {
    pub fn new(properties: &Properties) -> Self {
        let dials = Self::default();
        dials.set(properties);
        dials
    }

    /// The source takes these at once.
    pub fn set(&self, properties: &Properties) {
        self.text.set(properties.text.clone());
        self.slides.set(properties.slides);
        self.without_pointer.set(properties.without_pointer);
        self.transport().set_at_end(properties.at_end);
        self.transport().set_then(&properties.files);
    }

    /// Something else is to be shown while a media file is black or stands still.
    pub fn set_fallback(&self, has_fallback: bool) {
        self.watched.fallback.set(has_fallback);
    }

    /// A media file is all that is seen on the program.
    pub fn set_alone(&self, alone: bool) {
        self.watched.alone.set(alone);
    }

    /// Whether a media file is looked at.
    pub fn watched(&self) -> WatchedFile {
        self.watched.clone()
    }

    /// By which the source is paused and moved about in, where it plays something.
    pub fn transport(&self) -> Transport {
        self.transport.get()
    }

    /// It is this one: that of something that was open already.
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
