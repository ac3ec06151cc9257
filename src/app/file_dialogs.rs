//! The desktop's file dialogs, each on a thread of its own: they may stand open for hours.

use std::path::PathBuf;

use eframe::egui;

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::compose::filter::Asset;
use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::settings::part::PartKind;
use crate::ui::view::file_request::{
    FileRequest, FilterFile, Then, TransitionFile, TransitionFilePart,
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Video,
    Audio,
    /// Sound for a strip of the mixer, or for a new one.
    Strip(Option<StripId>),
    Watch,
    /// To go out as it is.
    Passthrough,
    Folder,
    /// For a scene.
    Source(FileRequest, SceneId),
    /// For a source that is there.
    Another(FileRequest, SourceId),
    /// To be played or shown by a source after its first one; several at once.
    Then(Then),
    /// For a filter of a source.
    Filter(Asset, FilterFile),
    /// For a transition between scenes.
    Transition(TransitionFile),
    /// A collection to take in…
    Scenes,
    /// …and one to write.
    NewScenes,
    /// A collection or profile to add, with the stream key that is in it or without…
    Part(PartKind, bool),
    /// …and the one of this name to write.
    NewPart(PartKind, String),
}

/// Media files with pictures…
const MEDIA_FILES: [&str; 6] = ["flv", "mp4", "m4v", "mov", "mkv", "webm"];
/// …and of sound alone.
const SONGS: [&str; 9] = ["mp3", "flac", "ogg", "oga", "opus", "aac", "wav", "m4a", "mka"];
const IMAGES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "gif"];

/// What a dialog lets be chosen: what can be read, by the names that such files have.
#[derive(Debug, PartialEq, Eq)]
enum Offers {
    Folders,
    Files(&'static str, Vec<&'static str>),
    NewFile(&'static str, &'static [&'static str], &'static str),
}

impl Kind {
    fn offers(&self) -> Offers {
        let with_video =
            |name, more: &[&'static str]| Offers::Files(name, [more, &MEDIA_FILES[..]].concat());
        let images = || Offers::Files("PNG, JPEG, WebP, GIF", IMAGES.to_vec());
        match self {
            Self::Video
            | Self::Source(FileRequest::Video, _)
            | Self::Another(FileRequest::Video, _) => {
                with_video("FLV, MP4, MKV, WebM, Y4M", &["y4m"])
            }
            Self::Audio | Self::Strip(_) => {
                with_video("WAV, MP3, FLAC, Ogg, AAC, MP4, MKV, FLV", &SONGS)
            }
            Self::Then(Then { pick: FileRequest::Image, .. }) => images(),
            Self::Then(_) => with_video("FLV, MP4, MKV, WebM", &[]),
            Self::Watch => with_video("FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC, WAV", &SONGS),
            Self::Passthrough => {
                Offers::Files("FLV, MP4, MKV, WebM", vec!["flv", "mp4", "mkv", "webm"])
            }
            Self::Folder
            | Self::Source(FileRequest::Slides, _)
            | Self::Another(FileRequest::Slides, _)
            | Self::Transition(TransitionFile { means: TransitionFilePart::Folder, .. }) => {
                Offers::Folders
            }
            Self::Source(FileRequest::Text, _) | Self::Another(FileRequest::Text, _) => {
                Offers::Files("TXT", vec!["txt"])
            }
            Self::Transition(TransitionFile { means: TransitionFilePart::Clip, .. }) => {
                with_video("WebP, GIF, PNG, MP4, MKV, WebM, FLV", &["webp", "gif", "png", "apng"])
            }
            Self::Filter(Asset::Table, ..) => Offers::Files("CUBE", vec!["cube"]),
            Self::Source(FileRequest::Image | FileRequest::Slide, _)
            | Self::Another(FileRequest::Image | FileRequest::Slide, _)
            | Self::Filter(Asset::Image, ..)
            | Self::Transition(TransitionFile { means: TransitionFilePart::Image, .. }) => images(),
            Self::Scenes => Offers::Files("onair, OBS", vec!["toml", "json"]),
            Self::Part(PartKind::Collection, _) => {
                Offers::Files("onair, OBS", vec!["toml", "json"])
            }
            Self::Part(PartKind::Profile, _) => Offers::Files("onair, OBS", vec!["toml", "ini"]),
            Self::NewPart(PartKind::Collection, _) => {
                Offers::NewFile("TOML, JSON", &["toml", "json"], "collection.toml")
            }
            Self::NewPart(PartKind::Profile, _) => {
                Offers::NewFile("TOML", &["toml"], "profile.toml")
            }
            Self::NewScenes => Offers::NewFile("TOML, JSON", &["toml", "json"], "scenes.toml"),
        }
    }
}

/// The dialog that is open, if one is.
#[derive(Debug, Default)]
pub struct Files {
    open: Option<(Kind, Worker, Receiver<Vec<PathBuf>>)>,
}

impl Files {
    /// Opens a dialog, unless one is open.
    pub fn ask(&mut self, ctx: &egui::Context, kind: Kind, folder: Option<PathBuf>) {
        if self.open.is_some() {
            return;
        }
        let (answer, answers) = queue::bounded("file-dialog", 1, Full::DropOldest);
        let (ctx, asked) = (ctx.clone(), kind.clone());
        let worker = Worker::spawn("onair-files", move |_| {
            let mut dialog = rfd::FileDialog::new();
            if let Some(folder) = folder {
                dialog = dialog.set_directory(folder);
            }
            let one = |path| vec![path];
            let paths = match (&asked, asked.offers()) {
                (_, Offers::Folders) => dialog.pick_folder().map(one),
                (Kind::Then(Then { at: None, .. }), Offers::Files(name, known)) => {
                    dialog.add_filter(name, &known).pick_files()
                }
                (_, Offers::Files(name, known)) => {
                    dialog.add_filter(name, &known).pick_file().map(one)
                }
                (_, Offers::NewFile(name, known, called)) => {
                    dialog.add_filter(name, known).set_file_name(called).save_file().map(one)
                }
            };
            if let Some(paths) = paths {
                // The window may be gone by now.
                let _ = answer.send(paths);
            }
            ctx.request_repaint();
        });
        match worker {
            Ok(worker) => self.open = Some((kind, worker, answers)),
            Err(error) => tracing::warn!(%error, "a file dialog cannot be opened"),
        }
    }

    /// What was chosen since the last call.
    pub fn answers(&mut self) -> Option<(Kind, Vec<PathBuf>)> {
        let (kind, worker, answers) = self.open.as_ref()?;
        let done = worker.is_finished();
        let answer = answers.try_recv().ok().map(|paths| (kind.clone(), paths));
        if done {
            self.open = None;
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(kind: &Kind) -> Vec<&'static str> {
        match kind.offers() {
            Offers::Files(_, known) => known,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_can_be_played_can_be_chosen() {
        let scene = SceneId(1);
        let clip =
            Kind::Transition(TransitionFile { scene: None, means: TransitionFilePart::Clip });
        for kind in [Kind::Video, Kind::Source(FileRequest::Video, scene), clip] {
            assert!(MEDIA_FILES.iter().all(|it| files(&kind).contains(it)), "{kind:?}");
        }
        for kind in [Kind::Audio, Kind::Strip(None), Kind::Watch] {
            let both = MEDIA_FILES.iter().chain(&SONGS);
            assert!(both.into_iter().all(|it| files(&kind).contains(it)), "{kind:?}");
        }
        // The player does not read these, scenes do.
        let y4m = |kind| files(&kind).contains(&"y4m");
        assert!(y4m(Kind::Source(FileRequest::Video, scene)) && !y4m(Kind::Watch));
        assert_eq!(Kind::Source(FileRequest::Slides, scene).offers(), Offers::Folders);
        let then = |pick| Kind::Then(Then { source: SourceId(1), pick, at: None });
        for kind in [Kind::Source(FileRequest::Slide, scene), then(FileRequest::Image)] {
            assert!(files(&kind).contains(&"png") && !files(&kind).contains(&"mp4"), "{kind:?}");
        }
        assert!(files(&then(FileRequest::Video)).contains(&"mp4"));
    }
}
