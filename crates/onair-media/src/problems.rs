//! The texts for users about the errors of `wire`, which is a library without texts.
//!
//! Neither the errors nor [`Problem`] are from this crate, so the trait [`ToProblem`] stands for `From`.

use crate::text::problem::{Problem, problem};
use crate::wire::bits;
use crate::wire::codec::h264;
use crate::wire::container::flv::{self, normalize::Remark};
use crate::wire::container::{self, FilePart, UnknownFormat, UnsupportedContent};
use crate::wire::hls;
use crate::wire::rtmp::url;

/// An error that users can read about.
pub trait ToProblem {
    /// Returns the problem with its values and its cure.
    fn to_problem(&self) -> Problem;
}

impl ToProblem for Problem {
    fn to_problem(&self) -> Problem {
        self.clone()
    }
}

impl ToProblem for h264::Error {
    fn to_problem(&self) -> Problem {
        match *self {
            Self::Bits(bits::Error::End) => problem!("h264-cut-off"),
            Self::Bits(bits::Error::TooLong) => problem!("h264-code"),
            Self::NoNal => problem!("h264-no-nal"),
            Self::WrongNal { header, expected } => {
                let header = format!("{header:#04x}");
                problem!("h264-wrong-nal", header = header, expected = expected)
            }
            Self::Length => problem!("h264-length"),
            Self::Range(field) => problem!("h264-range", field = field),
        }
    }
}

impl ToProblem for url::Error {
    fn to_problem(&self) -> Problem {
        match self {
            Self::Empty => problem!("url-empty"),
            Self::NoScheme => problem!("url-no-scheme"),
            Self::Scheme(scheme) => {
                problem!("url-scheme", scheme = scheme).with_cure(instead_of(scheme))
            }
            Self::NoHost => problem!("url-no-host"),
            Self::Brackets => problem!("url-brackets"),
            Self::Port(port) => problem!("url-port", port = port),
            Self::Unescaped => problem!("url-unescaped"),
            Self::NoApp => problem!("url-no-app"),
            Self::NoStream => problem!("url-no-stream"),
            Self::Character => problem!("url-character"),
            Self::TooLong => problem!("url-too-long", bytes = url::MAX_URL_LENGTH),
            Self::KeySpace => problem!("url-key-space"),
            Self::KeyCharacter => problem!("url-key-character"),
            Self::KeyTooLong => problem!("url-key-too-long", bytes = url::MAX_URL_LENGTH),
        }
    }
}

/// Returns the advice for a scheme that users may paste, but that RTMP does not have.
fn instead_of(scheme: &str) -> Problem {
    match scheme {
        "rtmpe" | "rtmpte" => problem!("url-instead-of-rtmpe"),
        "rtmfp" => problem!("url-instead-of-rtmfp"),
        "http" | "https" => problem!("url-instead-of-web"),
        "rtsp" | "rtsps" => problem!("url-instead-of-rtsp"),
        "srt" | "ws" | "wss" | "webrtc" | "ndi" | "rist" | "file" | "ftp" | "sftp" => {
            problem!("url-ask-for-rtmp")
        }
        _ => problem!("url-use-rtmp"),
    }
}

impl ToProblem for flv::Error {
    fn to_problem(&self) -> Problem {
        match self {
            Self::NotFlv => problem!("media-unknown"),
            // Details for troubleshooting.
            other => Problem::words(other.to_string()),
        }
    }
}

impl ToProblem for Remark {
    fn to_problem(&self) -> Problem {
        match self {
            Self::NoVideoConfig => problem!("odd-no-video-config"),
            Self::VideoConfigInBand => problem!("odd-video-config-in-band"),
            Self::AnnexB => problem!("odd-annex-b"),
            Self::NoAudioConfig => problem!("odd-no-audio-config"),
            Self::AudioConfigDerived => problem!("odd-audio-config-derived"),
            Self::TimesMoved => problem!("odd-times-moved"),
        }
    }
}

impl ToProblem for UnknownFormat {
    fn to_problem(&self) -> Problem {
        problem!("media-no-format", text = &self.0)
    }
}

impl ToProblem for FilePart {
    fn to_problem(&self) -> Problem {
        match self {
            Self::Header => problem!("file-part-header"),
            Self::Index => problem!("file-part-index"),
            Self::UnwrittenIndex => problem!("file-part-unwritten-index"),
            Self::Structure => problem!("file-part-structure"),
            Self::Samples => problem!("file-part-samples"),
            Self::CodecConfig => problem!("file-part-codec-config"),
            Self::Encryption => problem!("file-part-encryption"),
            Self::Metadata => problem!("file-part-metadata"),
            Self::Chapters => problem!("file-part-chapters"),
        }
    }
}

impl ToProblem for UnsupportedContent {
    fn to_problem(&self) -> Problem {
        match self {
            Self::Codec(name) => Problem::words(name.as_str()),
            Self::Track(codec) => problem!("content-track", codec = codec),
            Self::EncryptedTrack(codec) => problem!("content-encrypted-track", codec = codec),
            Self::CompressedTrack(codec) => problem!("content-compressed-track", codec = codec),
            Self::VideoTrack(codec) => problem!("content-video-track", codec = *codec),
            Self::AudioTrack(codec) => problem!("content-audio-track", codec = *codec),
            Self::UnreadableTrack => problem!("content-unreadable-track"),
            Self::SecondVideoTrack => problem!("content-second-video"),
            Self::SharedTags => problem!("content-shared-tags"),
            Self::LacedBlocks => problem!("content-laced"),
            Self::Transparency => problem!("content-transparency"),
            Self::ResizedFrames => problem!("content-resized"),
            Self::ChangedAudio => problem!("content-changed-audio"),
            Self::Edits => problem!("content-edits"),
            Self::CutStart => problem!("content-cut-start"),
            Self::Rotation => problem!("content-rotation"),
            Self::AudioTrackNames => problem!("content-audio-track-names"),
            Self::AudioTrackLanguages => problem!("content-audio-track-languages"),
            Self::PixelAspect => problem!("content-pixel-aspect"),
            Self::HdrMetadata => problem!("content-hdr-metadata"),
            Self::VideoPacket(size) => problem!("content-video-packet", size = *size),
            Self::AudioPacket(size) => problem!("content-audio-packet", size = *size),
        }
    }
}

impl ToProblem for container::Error {
    fn to_problem(&self) -> Problem {
        match self {
            Self::Io(error) => error.into(),
            Self::UnknownFormat => problem!("media-unknown"),
            Self::Damaged(part) => problem!("media-damaged", part = part.to_problem()),
            Self::TooMuch(part) => {
                let too_much = problem!("media-too-much", part = part.to_problem());
                match part {
                    FilePart::Samples | FilePart::Index => {
                        too_much.with_cure(problem!("media-cure-long"))
                    }
                    _ => too_much,
                }
            }
            Self::Unsupported(what) => problem!("media-unsupported", what = what.to_problem()),
            Self::Empty => problem!("media-empty"),
        }
    }
}

impl ToProblem for hls::Error {
    fn to_problem(&self) -> Problem {
        match *self {
            Self::NotPlaylist => problem!("hls-not-a-playlist"),
            Self::TooLong => problem!("hls-too-long", mib = hls::MAX_PLAYLIST_BYTES >> 20),
            Self::TooMany(count) => problem!("hls-too-many", count = count),
            Self::Tag(tag) => problem!("hls-tag", tag = tag),
            Self::NoTargetDuration => problem!("hls-no-target-duration"),
            Self::Empty => problem!("hls-empty"),
            Self::Skipped => problem!("hls-skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn an_unknown_scheme_has_a_cure_that_names_rtmp() {
        for scheme in ["foo", "srt", "rtmpe", "rtsp"] {
            let problem = url::Error::Scheme(scheme.into()).to_problem();
            for language in [Language::English, Language::Chinese] {
                let cure = language.cure(&problem).unwrap_or_default();
                assert!(cure.contains("rtmp://"), "{scheme}: {cure}");
            }
        }
    }
}
