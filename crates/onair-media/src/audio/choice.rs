//! The choice of an audio source, and its syntax.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::platform::names;
use crate::text::problem::{Problem, problem};

/// An audio source as selected, saved and displayed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AudioChoice {
    /// A microphone, identified by its stable id. `None` means the system's default microphone,
    /// even if the default changes.
    Mic(Option<String>),
    /// The output of the speaker with this id. `None` means the system's default speaker, even if
    /// the default changes.
    System(Option<String>),
    /// One application, identified by its own name or by the name of its program; see
    /// [`is_application`].
    Application(String),
    /// The test tone, in sync with the test pattern's flash.
    Tone,
    /// Digital silence.
    Silence,
    /// A file. This room reads WAV files, and the player reads other formats.
    File(PathBuf),
    /// A remote stream.
    Stream(String),
    /// The microphone of the guest with this id.
    Guest(String),
    /// No audio track at all.
    None,
}

impl AudioChoice {
    /// Returns the file of the choice, if the choice is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    /// Parses a choice. A path in the text can be invalid UTF-8.
    ///
    /// # Errors
    /// Fails with the same errors as the text parser.
    pub fn of_word(word: &OsStr) -> Result<Self, Problem> {
        if word.to_str().is_none()
            && let Some(path) = names::after(word, "file:")
        {
            return Ok(Self::File(path.into()));
        }
        word.to_string_lossy().parse()
    }
}

impl fmt::Display for AudioChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mic(None) => f.write_str("mic"),
            Self::Mic(Some(id)) => write!(f, "mic:{id}"),
            Self::System(None) => f.write_str("system"),
            Self::System(Some(id)) => write!(f, "system:{id}"),
            Self::Application(name) => write!(f, "app:{name}"),
            Self::Tone => f.write_str("tone"),
            Self::Silence => f.write_str("silence"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Stream(url) => write!(f, "stream:{url}"),
            Self::Guest(id) => write!(f, "guest:{id}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for AudioChoice {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest).filter(|rest| !rest.is_empty())),
            None => (text, None),
        };
        match (kind, rest) {
            ("mic", id) => Ok(Self::Mic(id.map(str::to_owned))),
            ("system", id) => Ok(Self::System(id.map(str::to_owned))),
            ("app", Some(name)) => Ok(Self::Application(name.to_owned())),
            ("app", None) => Err(problem!("choice-needs-application")),
            ("tone", None) => Ok(Self::Tone),
            ("silence", None) => Ok(Self::Silence),
            ("none", None) => Ok(Self::None),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("stream", Some(url)) if url.contains("://") => Ok(Self::Stream(url.to_owned())),
            ("stream", _) => Err(problem!("choice-needs-url")),
            ("guest", Some(id)) => Ok(Self::Guest(id.to_owned())),
            ("file", None) => Err(problem!("choice-needs-path", example = "file:FILE.wav")),
            _ => {
                // Only the scheme of an address is shown, because the rest may be secret.
                let text = text.split("://").next().unwrap_or_default();
                Err(problem!("choice-no-audio", text = text))
            }
        }
    }
}

/// Returns true if `wanted` is the name of this application or of its program, regardless of upper
/// and lower case.
pub fn is_application(wanted: &str, name: &str, program: &str) -> bool {
    let wanted = wanted.to_lowercase();
    !wanted.is_empty() && [name, program].iter().any(|it| it.to_lowercase() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_need_be_no_text() {
        let word: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"file:/a: \xFF.wav");
        let path: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"/a: \xFF.wav");
        assert_eq!(AudioChoice::of_word(word), Ok(AudioChoice::File(path.into())));
        assert_eq!(AudioChoice::of_word(OsStr::new("tone")), Ok(AudioChoice::Tone));
    }

    #[test]
    fn applications_are_meant_by_name_or_program() {
        assert!(is_application("firefox", "Firefox", "firefox-bin"));
        assert!(is_application("mpv", "My Player", "mpv"));
        assert!(!is_application("fire", "Firefox", "firefox-bin"));
        assert!(!is_application("", "Nameless", ""));
    }

    #[test]
    fn choices_read_back_as_written() {
        for text in [
            "mic",
            "mic:pulse:alsa_input.usb-1",
            "system",
            "system:pulseaudio:hdmi",
            "app:Firefox",
            "app:Game: The Second",
            "tone",
            "silence",
            "none",
            "file:a.wav",
            "guest:g1",
        ] {
            assert_eq!(text.parse::<AudioChoice>().unwrap().to_string(), text);
        }
        for bad in ["", "Mic", "tone:1", "file", "file:", "app", "app:", "systems", "microphone"] {
            assert!(bad.parse::<AudioChoice>().is_err(), "{bad}");
        }
        for address in ["rtmp://ada:pw@host/pw", "Stream:rtmp://ada:pw@host/pw"] {
            let why = address.parse::<AudioChoice>().unwrap_err();
            let why = why.to_string();
            assert!(why.contains("rtmp' is not") && !why.contains("pw"), "{why}");
        }
    }
}
