//! The images of a page of the guide, from files that are installed with the program. A separate
//! thread decodes each image when it is first visible, and the window drops the images when their
//! page closes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use egui::{Rect, Ui};

use crate::base::{Latest, Timestamp, Worker};
use crate::capture;
use crate::media::{Color, Surface, VideoFrame};
use crate::ui::dialogs::help::pages::Topic;
use crate::ui::text::Language;
use crate::ui::video::{FrameView, fitted};

/// The aspect ratio of all images, for a layout that does not wait for them.
pub(super) const IMAGE_SHAPE: f32 = 16.0 / 9.0;

/// The folder of the images: that of a package, or else that of the source tree.
static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let program = std::env::current_exe().ok()?;
    let beside = program.parent()?;
    let installed = ["../share/onair/pictures", "../../assets/pictures"].map(|it| beside.join(it));
    // Tests and examples are in other folders.
    let source = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/pictures"));
    let source = cfg!(debug_assertions).then(source);
    installed.into_iter().chain(source).find(|it| it.is_dir())
});

/// The images of the open page, by the names of their files.
#[derive(Debug, Default)]
pub struct HelpImages {
    of: Option<(Topic, Language)>,
    images: BTreeMap<String, Option<HelpImage>>,
}

impl HelpImages {
    /// Drops the images of another page.
    pub(super) fn turn_to(&mut self, topic: Topic, language: Language) {
        if self.of != Some((topic, language)) {
            *self = Self { of: Some((topic, language)), images: BTreeMap::new() };
        }
    }

    /// Returns the image in this file, or `None` if there is no such image.
    pub(super) fn get(&mut self, file: &str) -> Option<&mut HelpImage> {
        let image = self.images.entry(file.to_owned()).or_insert_with(|| HelpImage::find(file));
        image.as_mut().filter(|image| !image.has_failed())
    }
}

/// An image in a file, which is decoded when it is first drawn.
#[derive(Debug)]
pub(super) struct HelpImage {
    path: PathBuf,
    /// Empty until the image is decoded. A changed slot without a frame means that the file is not
    /// an image.
    slot: Latest<VideoFrame>,
    view: FrameView,
    reader: Option<Worker>,
}

impl HelpImage {
    fn find(file: &str) -> Option<Self> {
        let path = FOLDER.as_ref()?.join(file);
        let slot = Latest::default();
        let view = FrameView::new("help", slot.clone());
        path.is_file().then_some(Self { path, slot, view, reader: None })
    }

    fn has_failed(&self) -> bool {
        self.slot.version() > 0 && self.slot.get().is_none()
    }

    /// Draws the image in this room as soon as it is decoded.
    pub(super) fn paint(&mut self, ui: &Ui, room: Rect) {
        if self.reader.is_none() {
            self.read(ui.ctx().clone());
        }
        self.view.paint(ui, fitted(room, IMAGE_SHAPE, ui.pixels_per_point()));
    }

    fn read(&mut self, ctx: egui::Context) {
        self.slot.on_change(move || ctx.request_repaint());
        let (path, slot) = (self.path.clone(), self.slot.clone());
        let reader = Worker::spawn("onair-help", move |_| match capture::still(&path) {
            Ok(planes) => slot.publish(VideoFrame {
                pts: Timestamp::ZERO,
                color: Color::PROGRAM,
                surface: Surface::I420(Arc::new(planes.into())),
            }),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "reading an image of the guide");
                slot.clear();
            }
        });
        match reader {
            Ok(reader) => self.reader = Some(reader),
            Err(error) => {
                tracing::warn!(%error, "reading an image of the guide");
                self.slot.clear();
            }
        }
    }
}
