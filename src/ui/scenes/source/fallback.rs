//! The inspector field for a source's video fallback, which replaces the source while it is black,
//! frozen or lost.

use egui::Ui;

use crate::capture::{CameraChoice, VideoChoice, VideoFallback};
use crate::compose::scene::SourceId;
use crate::studio::settings::scenes::collection::shown;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::scenes::source::fields::{hint, line};
use crate::ui::view::View;
use crate::ui::widgets::{Select, menu_item, menu_rule, scrolled};

/// Returns the other sources of the scenes, the main video source and the cameras, each listed once
/// with its name.
fn others(snapshot: &Snapshot, id: SourceId) -> Vec<(String, VideoChoice)> {
    let own = snapshot.shown_by(id);
    let mut others: Vec<(String, VideoChoice)> = Vec::new();
    let mut offer = |name: &str, choice: VideoChoice| {
        let is_it = |known: &VideoChoice| known.is_same_as(&choice);
        let known = own.is_some_and(is_it) || others.iter().any(|(_, other)| is_it(other));
        if choice != VideoChoice::None && !known {
            others.push((name.to_owned(), choice));
        }
    };
    for source in &snapshot.scenes.collection.sources {
        offer(&source.name, source.choice.clone());
    }
    for camera in &snapshot.cameras {
        offer(&camera.name, VideoChoice::Camera(CameraChoice::of(&camera.id)));
    }
    if let Some(video) = &snapshot.video {
        offer(&video.name, video.choice.clone());
    }
    others
}

pub fn contents(ui: &mut Ui, view: &mut View<'_>, id: SourceId) {
    let (snapshot, texts) = (view.snapshot, view.texts);
    let now = snapshot.scenes.collection.fallback(id).clone();
    let others = others(snapshot, id);
    let (keep, placeholder) = (texts.get("fallback-keep"), texts.get("fallback-placeholder"));
    let chosen = match &now {
        VideoFallback::Keep => keep.to_string(),
        VideoFallback::Placeholder => placeholder.to_string(),
        VideoFallback::Source(choice) => {
            let known = others.iter().find(|(_, other)| other == choice);
            known.map_or_else(|| shown(choice.to_string()), |(name, _)| name.clone())
        }
    };
    let name = texts.get("fallback").to_string();
    let mut wanted = None;
    line(ui, view, &name, |ui, view| {
        let select = Select::new(&name, &chosen, ui.available_width());
        select.show(ui, view.theme, |ui| {
            for (text, one) in
                [(&keep, VideoFallback::Keep), (&placeholder, VideoFallback::Placeholder)]
            {
                if menu_item(ui, view.theme, text, "", one == now, true) {
                    wanted = Some(one);
                }
            }
            if !others.is_empty() {
                menu_rule(ui, view.theme);
            }
            scrolled(ui, "instead", |ui| {
                for (text, choice) in &others {
                    let is_it = now.choice() == Some(choice);
                    if menu_item(ui, view.theme, text, "", is_it, true) {
                        wanted = Some(VideoFallback::Source(choice.clone()));
                    }
                }
            });
        });
    });
    hint(ui, view, &texts.get("fallback-hint"));
    if let Some(wanted) = wanted.filter(|wanted| *wanted != now) {
        view.send(Command::Edit(Edit::SetFallback(id, wanted)));
    }
}
