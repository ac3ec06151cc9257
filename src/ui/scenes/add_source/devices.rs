//! The available sources: cameras, displays, windows, and the contents of scenes.

use egui::{Response, Ui};

use crate::capture::{self, CameraChoice, ScreenInfo, VideoChoice, WindowInfo};
use crate::compose::scene::{SceneId, SourceId};
use crate::media::Size;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::scenes::add_source::new_source::{add, asked_for};
use crate::ui::scenes::add_source::page::Page;
use crate::ui::scenes::draft::{Draft, edited};
use crate::ui::scenes::kind::icon_of_choice;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, Row, label, paragraph};

/// A source that can be added.
pub(super) struct FoundSource {
    pub name: String,
    second: String,
    icon: Icon,
    what: SourceOrigin,
}

enum SourceOrigin {
    New(VideoChoice),
    Source(SourceId),
    Scene(SceneId),
}

/// Returns the name of a display.
pub(in crate::ui::scenes) fn screen_name(view: &View<'_>, screen: &ScreenInfo) -> String {
    if screen.id == "all" { view.texts.get("screen-all").to_string() } else { screen.name.clone() }
}

/// Returns the size of a display as text, with a note for the main display.
pub(in crate::ui::scenes) fn screen_kind(view: &View<'_>, screen: &ScreenInfo) -> String {
    let size = format::size(Size::new(screen.area.width, screen.area.height));
    if screen.primary { view.texts.with("screen-primary", &[("size", size.into())]) } else { size }
}

/// Returns the name of a window.
pub(in crate::ui::scenes) fn window_name(window: &WindowInfo) -> &str {
    if window.name.is_empty() { &window.class } else { &window.name }
}

fn new(name: impl Into<String>, second: impl Into<String>, choice: VideoChoice) -> FoundSource {
    let icon = icon_of_choice(&choice);
    FoundSource { name: name.into(), second: second.into(), icon, what: SourceOrigin::New(choice) }
}

fn of(view: &View<'_>, page: Page) -> Vec<FoundSource> {
    let (texts, snapshot) = (view.texts, view.snapshot);
    match page {
        Page::Cameras => {
            let cameras = snapshot.cameras.iter();
            let choice = |id: &str| VideoChoice::Camera(CameraChoice::of(id));
            cameras.map(|camera| new(&camera.name, "", choice(&camera.id))).collect()
        }
        Page::Stream | Page::Browser => Vec::new(),
        Page::Screens => {
            let usual = match capture::in_wayland() {
                true => new(&*texts.get("share-ask"), "", asked_for(view, false)),
                false => {
                    let choice = VideoChoice::Screen(capture::DisplayTarget::default());
                    new(&*texts.get("screen-main"), "", choice)
                }
            };
            let screens = snapshot.screens.iter().map(|screen| {
                let id = Some(screen.id.clone());
                let target = capture::DisplayTarget { id, ..Default::default() };
                let (name, kind) = (screen_name(view, screen), screen_kind(view, screen));
                new(name, kind, VideoChoice::Screen(target))
            });
            std::iter::once(usual).chain(screens).collect()
        }
        Page::Windows => {
            let ask = capture::in_wayland()
                .then(|| new(&*texts.get("share-ask"), "", asked_for(view, true)));
            let windows = snapshot.windows.iter().map(|window| {
                let size = format::size(window.size);
                let kind = if window.shown {
                    format!("{} · {size}", window.class)
                } else {
                    texts.with("window-minimised", &[("class", window.class.as_str().into())])
                };
                new(window_name(window), kind, VideoChoice::Window(window.id.clone()))
            });
            ask.into_iter().chain(windows).collect()
        }
        Page::Again => {
            let (collection, scene) = (&snapshot.scenes.collection, edited(snapshot));
            let sources = collection.sources.iter().map(|source| FoundSource {
                what: SourceOrigin::Source(source.id),
                ..new(&source.name, "", source.choice.clone())
            });
            let others = collection.scenes.iter();
            let others = others.filter(|it| it.id != scene && !collection.reaches(it.id, scene));
            let others = others.map(|other| FoundSource {
                name: texts.with("add-scene", &[("name", other.name.as_str().into())]),
                second: String::new(),
                icon: Icon::Scene,
                what: SourceOrigin::Scene(other.id),
            });
            sources.chain(others).collect()
        }
    }
}

/// Returns all available sources. An existing source can have the name of a device or kind, so its
/// second line tells it apart.
pub(super) fn all(view: &View<'_>) -> Vec<FoundSource> {
    let existing = view.texts.get("add-again");
    let mut all: Vec<FoundSource> = [Page::Cameras, Page::Screens, Page::Windows, Page::Again]
        .into_iter()
        .flat_map(|page| of(view, page))
        .collect();
    for found in &mut all {
        if let SourceOrigin::Source(_) = found.what {
            found.second = existing.to_string();
        }
    }
    all
}

/// Draws one source in the list.
pub(super) fn row(ui: &mut Ui, view: &View<'_>, found: &FoundSource) -> Response {
    let FoundSource { icon, name, second, .. } = found;
    Row { icon: *icon, title: name, second, chosen: false, lamp: None }.show(ui, view.theme)
}

/// Adds the source to the edited scene.
pub(super) fn take(view: &mut View<'_>, draft: &mut Draft, found: &FoundSource) {
    let scene = edited(view.snapshot);
    let edit = match &found.what {
        SourceOrigin::New(choice) => {
            let name = match choice {
                // The name of the source that the desktop will provide is not known yet.
                VideoChoice::Screen(_) if capture::in_wayland() => view.texts.get("add-screen"),
                VideoChoice::Window(_) if capture::in_wayland() => view.texts.get("add-window"),
                _ => found.name.as_str().into(),
            };
            return add(view, draft, &*name, choice.clone());
        }
        SourceOrigin::Source(source) => Edit::ShowSource { scene, source: *source },
        SourceOrigin::Scene(shown) => Edit::ShowScene { scene, shown: *shown },
    };
    draft.await_items(view.snapshot);
    view.send(Command::Edit(edit));
}

/// Draws the list of a page. If the page `opens`, the first source gets the keyboard focus. Returns
/// true if a source was added.
pub(super) fn list(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    page: Page,
    opens: &mut bool,
) -> bool {
    let found = of(view, page);
    for one in &found {
        let response = row(ui, view, one);
        if std::mem::take(opens) {
            response.request_focus();
        }
        if response.clicked() {
            take(view, draft, one);
            return true;
        }
    }
    if found.is_empty() {
        return nothing(ui, view, draft, page);
    }
    false
}

/// Draws the advice for an empty list. Returns true if a source was added.
fn nothing(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, page: Page) -> bool {
    let texts = view.texts;
    let (title, advice) = match page {
        Page::Cameras => (key!("no-camera-title"), key!("no-camera-advice")),
        Page::Windows => (key!("windows-none"), key!("windows-none-advice")),
        Page::Screens | Page::Again | Page::Stream | Page::Browser => {
            (key!("add-again-none"), key!("add-again-advice"))
        }
    };
    label(ui, &texts.get(title), Type::BodyStrong, view.theme.text);
    paragraph(ui, &texts.get(advice), Type::Small, view.theme.secondary);
    ui.add_space(gap::S);
    let mut added = false;
    ui.horizontal(|ui| {
        let text = texts.get("search-again");
        if Button::new(&text).small().icon(Icon::Refresh).show(ui, view.theme).clicked() {
            view.send(Command::RefreshDevices);
        }
        let text = texts.get("use-test-pattern");
        if page == Page::Cameras && Button::new(&text).small().show(ui, view.theme).clicked() {
            let name = texts.get("test-pattern");
            add(view, draft, &*name, VideoChoice::Test);
            added = true;
        }
    });
    added
}
