//! The desktop's file dialogs, each on a thread of its own: they may stand open for hours.

use std::path::PathBuf;

use eframe::egui;

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::compose::filter::Asset;
use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::ui::pick::{Means, Pick};

/// What is asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Video,
    Audio,
    /// Sound for a strip of the mixer, or for a new one.
    Strip(Option<StripId>),
    Watch,
    /// To go out as it is.
    Film,
    Folder,
    /// For a scene.
    Source(Pick, SceneId),
    /// For a source that is there.
    Another(Pick, SourceId),
    /// For a filter of a source, by its place in the list.
    Filter(Asset, SourceId, usize),
    /// For the transition between scenes.
    Transition(Means),
    /// A collection to take in…
    Scenes,
    /// …and one to write.
    NewScenes,
}

/// The dialog that is open, if one is.
#[derive(Debug, Default)]
pub struct Files {
    open: Option<(Kind, Worker, Receiver<PathBuf>)>,
}

impl Files {
    /// Opens a dialog, unless one is open.
    pub fn ask(&mut self, ctx: &egui::Context, kind: Kind, folder: Option<PathBuf>) {
        if self.open.is_some() {
            return;
        }
        let (answer, answers) = queue::bounded("file-dialog", 1, Full::DropOldest);
        let ctx = ctx.clone();
        let worker = Worker::spawn("onair-files", move |_| {
            let mut dialog = rfd::FileDialog::new();
            if let Some(folder) = folder {
                dialog = dialog.set_directory(folder);
            }
            let path = match kind {
                Kind::Video => dialog.add_filter("Y4M", &["y4m"]).pick_file(),
                Kind::Audio | Kind::Strip(_) => dialog.add_filter("WAV", &["wav"]).pick_file(),
                Kind::Watch | Kind::Film => {
                    dialog.add_filter("FLV, MP4, MKV", &["flv", "mp4", "mkv"]).pick_file()
                }
                Kind::Folder
                | Kind::Source(Pick::Slides, _)
                | Kind::Another(Pick::Slides, _)
                | Kind::Transition(Means::Folder) => dialog.pick_folder(),
                Kind::Transition(Means::Clip) => {
                    let known = ["webp", "gif", "png", "apng", "mp4", "mkv", "flv"];
                    dialog.add_filter("WebP, GIF, PNG, MP4, MKV, FLV", &known).pick_file()
                }
                Kind::Source(Pick::Video, _) | Kind::Another(Pick::Video, _) => {
                    let known = ["y4m", "flv", "mp4", "mkv"];
                    dialog.add_filter("Y4M, FLV, MP4, MKV", &known).pick_file()
                }
                Kind::Source(Pick::Text, _) | Kind::Another(Pick::Text, _) => {
                    dialog.add_filter("TXT", &["txt"]).pick_file()
                }
                Kind::Filter(Asset::Table, ..) => dialog.add_filter("CUBE", &["cube"]).pick_file(),
                Kind::Source(Pick::Image, _)
                | Kind::Another(Pick::Image, _)
                | Kind::Filter(Asset::Picture, ..)
                | Kind::Transition(Means::Picture) => {
                    let known = ["png", "jpg", "jpeg", "webp", "gif"];
                    dialog.add_filter("PNG, JPEG, WebP, GIF", &known).pick_file()
                }
                Kind::Scenes => dialog.add_filter("onair, OBS", &["toml", "json"]).pick_file(),
                Kind::NewScenes => dialog
                    .add_filter("TOML, JSON", &["toml", "json"])
                    .set_file_name("scenes.toml")
                    .save_file(),
            };
            if let Some(path) = path {
                // The window may be gone by now.
                let _ = answer.send(path);
            }
            ctx.request_repaint();
        });
        match worker {
            Ok(worker) => self.open = Some((kind, worker, answers)),
            Err(error) => tracing::warn!(%error, "a file dialog cannot be opened"),
        }
    }

    /// What was chosen since the last call.
    pub fn answers(&mut self) -> Option<(Kind, PathBuf)> {
        let (kind, worker, answers) = self.open.as_ref()?;
        let done = worker.is_finished();
        let answer = answers.try_recv().ok().map(|path| (*kind, path));
        if done {
            self.open = None;
        }
        answer
    }
}
