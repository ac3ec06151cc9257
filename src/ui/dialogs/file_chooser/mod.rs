//! onair's own file chooser, for desktops without one. It has a list of folders and files, and a
//! path field, and works with the keyboard. It can also replace a desktop's chooser that never
//! responds.

mod listing;

use std::path::{Path, PathBuf};

use egui::{Align, CornerRadius, Id, Key, Modifiers, Role, ScrollArea, Sense, Ui};
use egui::{WidgetInfo, pos2, vec2};

use crate::ui::dialogs::card::{heading, modal};
use crate::ui::dialogs::file_chooser::listing::{Entry, PathKind, Reading, has_ending};
use crate::ui::input::actions::key;
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, at_right_end, elided, focus_ring, label, paragraph, select_all,
    weighted_icon_button,
};

/// The kind of object to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChooserKind {
    Folder {
        /// True if the folder may not exist yet.
        may_be_new: bool,
    },
    /// One or more files with these extensions.
    Files { endings: Vec<String>, several: bool },
    /// A new file, with this name unless the user enters another one.
    NewFile { endings: Vec<String>, name: String },
}

/// The open chooser.
#[derive(Debug)]
pub struct FileChooser {
    kind: ChooserKind,
    reading: Reading,
    /// True if files with any extension are displayed.
    all: bool,
    /// The entered path or name.
    typed: String,
    /// The check of the entered path, which begins when the user accepts the path.
    looked: Option<Reading>,
    chosen: Vec<PathBuf>,
    /// The problem with the entered text.
    wrong: Option<&'static str>,
    /// The existing file for which Enter was pressed once, so that a second press replaces it.
    replace: Option<PathBuf>,
    /// True if the field for the path gets the keyboard focus in the next frame.
    takes_focus: bool,
}

/// The result of the chooser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChooserAnswer {
    Cancel,
    Chosen(Vec<PathBuf>),
}

/// Returns a path without `.` and `..`. A path that is not absolute is relative to `folder`, and
/// `~` is the home folder.
fn absolute(folder: &Path, typed: &str) -> PathBuf {
    let typed = match typed.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = dirs::home_dir().unwrap_or_default();
            home.join(rest.trim_start_matches('/'))
        }
        _ => folder.join(typed),
    };
    let mut path = PathBuf::new();
    for part in typed.components() {
        match part {
            std::path::Component::ParentDir => {
                path.pop();
            }
            std::path::Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

impl FileChooser {
    /// Creates the chooser in `folder`, or else in the home folder.
    pub fn new(ctx: &egui::Context, kind: ChooserKind, folder: Option<PathBuf>) -> Self {
        let folder = folder.or_else(dirs::home_dir).unwrap_or_else(|| PathBuf::from("/"));
        let typed = match &kind {
            ChooserKind::NewFile { name, .. } => name.clone(),
            _ => String::new(),
        };
        let reading = Reading::begin(folder, endings(&kind, false), ctx.clone());
        Self {
            kind,
            reading,
            all: false,
            typed,
            looked: None,
            chosen: Vec::new(),
            wrong: None,
            replace: None,
            takes_focus: true,
        }
    }

    /// Shows a problem with the entered text, and lets the user correct the text.
    fn refuse(&mut self, why: &'static str) {
        (self.wrong, self.takes_focus) = (Some(why), true);
    }

    fn go(&mut self, ctx: &egui::Context, folder: PathBuf) {
        self.enter(Reading::begin(folder, endings(&self.kind, self.all), ctx.clone()));
    }

    /// Creates a folder in the shown one, and opens it. It has the entered name, or else this one. The name of a new
    /// file stays.
    fn create_folder(&mut self, ctx: &egui::Context, name: &str) {
        let typed = self.typed.trim();
        let is_named = matches!(self.kind, ChooserKind::Folder { .. }) && !typed.is_empty();
        let path = absolute(&self.reading.path, if is_named { typed } else { name });
        self.enter(Reading::of_new(path, endings(&self.kind, self.all), ctx.clone()));
    }

    fn enter(&mut self, reading: Reading) {
        (self.reading, self.looked) = (reading, None);
        (self.wrong, self.replace) = (None, None);
        self.chosen.clear();
        if !matches!(self.kind, ChooserKind::NewFile { .. }) {
            self.typed.clear();
        }
    }

    /// Handles a click on a file or folder.
    fn press(
        &mut self,
        ctx: &egui::Context,
        entry: &Entry,
        twice: bool,
        besides: bool,
    ) -> Option<ChooserAnswer> {
        if entry.is_folder {
            if twice {
                self.go(ctx, entry.path.clone());
            } else if matches!(self.kind, ChooserKind::Folder { .. }) {
                self.chosen = vec![entry.path.clone()];
            }
            return None;
        }
        match &self.kind {
            ChooserKind::Files { several: true, .. } if besides => {
                if let Some(place) = self.chosen.iter().position(|it| *it == entry.path) {
                    self.chosen.remove(place);
                } else {
                    self.chosen.push(entry.path.clone());
                }
            }
            ChooserKind::NewFile { .. } => {
                self.typed.clone_from(&entry.name);
                (self.wrong, self.replace) = (None, None);
            }
            _ => self.chosen = vec![entry.path.clone()],
        }
        if twice { self.accept(ctx) } else { None }
    }

    /// Accepts the selection. An entered path is first checked on another thread.
    fn accept(&mut self, ctx: &egui::Context) -> Option<ChooserAnswer> {
        let typed = self.typed.trim().to_owned();
        if !typed.is_empty() {
            let mut path = absolute(&self.reading.path, &typed);
            if let ChooserKind::NewFile { endings, .. } = &self.kind {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let bare = endings.first().filter(|_| !has_ending(&name, endings));
                if let Some(ending) = bare.filter(|_| !typed.ends_with('/')) {
                    path.set_file_name(format!("{name}.{ending}"));
                }
            }
            self.looked = Some(Reading::begin(path, endings(&self.kind, self.all), ctx.clone()));
            return None;
        }
        match &self.kind {
            ChooserKind::Folder { .. } => {
                let folder = self.reading.path.clone();
                Some(ChooserAnswer::Chosen(vec![self.chosen.pop().unwrap_or(folder)]))
            }
            ChooserKind::Files { .. } if self.chosen.is_empty() => {
                self.refuse(key!("chooser-nothing"));
                None
            }
            ChooserKind::Files { .. } => {
                Some(ChooserAnswer::Chosen(std::mem::take(&mut self.chosen)))
            }
            ChooserKind::NewFile { .. } => {
                self.refuse(key!("chooser-no-name"));
                None
            }
        }
    }

    /// Handles the result of checking an entered path: accepts the path, opens the folder, or
    /// reports the problem.
    fn decide(&mut self) -> Option<ChooserAnswer> {
        let looked = self.looked.as_mut()?;
        looked.poll();
        let found = looked.listing.as_ref()?.found;
        let looked = self.looked.take()?;
        let chosen = Some(ChooserAnswer::Chosen(vec![looked.path.clone()]));
        match (&self.kind, found) {
            (ChooserKind::Folder { .. }, PathKind::Folder)
            | (ChooserKind::Folder { may_be_new: true }, PathKind::New)
            | (ChooserKind::Files { .. }, PathKind::File)
            | (ChooserKind::NewFile { .. }, PathKind::New | PathKind::Nothing) => return chosen,
            (ChooserKind::NewFile { .. }, PathKind::File)
                if self.replace.as_ref() == Some(&looked.path) =>
            {
                return chosen;
            }
            (ChooserKind::NewFile { .. }, PathKind::File) => {
                self.replace = Some(looked.path);
                self.refuse(key!("chooser-exists"));
            }
            (_, PathKind::Folder) => self.enter(looked),
            (ChooserKind::Folder { .. }, _) => self.refuse(key!("chooser-no-folder")),
            (ChooserKind::Files { .. }, _) => self.refuse(key!("chooser-no-file")),
        }
        None
    }
}

fn endings(kind: &ChooserKind, all: bool) -> Option<Vec<String>> {
    match kind {
        // The list contains only folders.
        ChooserKind::Folder { .. } => Some(Vec::new()),
        ChooserKind::Files { endings, .. } | ChooserKind::NewFile { endings, .. } => {
            (!all).then(|| endings.clone())
        }
    }
}

/// Shows the chooser.
pub fn show(
    ctx: &egui::Context,
    view: &View<'_>,
    chooser: &mut FileChooser,
) -> Option<ChooserAnswer> {
    let theme = view.theme;
    let texts = view.texts;
    chooser.reading.poll();
    if let Some(answer) = chooser.decide() {
        return Some(answer);
    }
    let takes_focus = std::mem::take(&mut chooser.takes_focus);
    let mut answer = None;
    let width = 640.0_f32.min(ctx.content_rect().width() - 80.0).max(280.0);
    let closed = modal(ctx, theme, "file-chooser", width, |ui| {
        let title = match chooser.kind {
            ChooserKind::Folder { .. } => key!("chooser-folder"),
            ChooserKind::Files { several: false, .. } => key!("chooser-file"),
            ChooserKind::Files { several: true, .. } => key!("chooser-files"),
            ChooserKind::NewFile { .. } => key!("chooser-new"),
        };
        if heading(ui, view, &texts.get(title)) {
            answer = Some(ChooserAnswer::Cancel);
        }
        places(ui, view, chooser);
        if let Some(done) = entries(ui, view, chooser) {
            answer = Some(done);
        }
        let name = texts.get(match chooser.kind {
            ChooserKind::NewFile { .. } => key!("chooser-name"),
            _ => key!("chooser-path"),
        });
        let field = Field {
            name: &name,
            hint: &name,
            wrong: chooser.wrong.is_some(),
            limit: 4_096,
            width: ui.available_width(),
            ..Field::new(Id::unique("chooser-path"), &mut chooser.typed)
        }
        .show(ui, theme);
        if takes_focus {
            field.response.request_focus();
            select_all(ui, field.response.id, &chooser.typed);
        }
        if field.response.changed() {
            (chooser.wrong, chooser.replace) = (None, None);
        }
        let enter = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if let Some(wrong) = chooser.wrong {
            paragraph(ui, &texts.get(wrong), Type::Small, theme.warn);
        }
        ui.horizontal(|ui| {
            if let ChooserKind::Files { .. } = chooser.kind {
                let text = texts.get("chooser-all");
                if crate::ui::widgets::named_switch(ui, theme, &text, "", Type::Small, chooser.all)
                {
                    chooser.all ^= true;
                    let folder = chooser.reading.path.clone();
                    chooser.go(ui.ctx(), folder);
                }
            }
            let buttons = |ui: &mut Ui| {
                if Button::new(&texts.get("cancel")).show(ui, theme).clicked() {
                    answer = Some(ChooserAnswer::Cancel);
                }
                let choose = texts.get(match chooser.kind {
                    ChooserKind::NewFile { .. } => key!("chooser-save"),
                    _ => key!("chooser-choose"),
                });
                let button = Button::new(&choose).weight(ButtonWeight::Primary);
                if button.show(ui, theme).clicked() || enter {
                    answer = chooser.accept(ui.ctx()).or(answer.take());
                }
            };
            at_right_end(ui, buttons);
        });
        None
    });
    answer.or(closed.map(|_| ChooserAnswer::Cancel))
}

/// Draws the folder, with buttons for its parent, the home folder and the video folder.
fn places(ui: &mut Ui, view: &View<'_>, chooser: &mut FileChooser) {
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        let mut to = None;
        let name = texts.get("chooser-up");
        if weighted_icon_button(ui, theme, Icon::ChevronUp, &name, 28.0, ButtonWeight::Plain)
            .clicked()
        {
            to = chooser.reading.path.parent().map(Path::to_owned);
        }
        for (key, folder) in
            [(key!("chooser-home"), dirs::home_dir()), (key!("chooser-videos"), dirs::video_dir())]
        {
            let text = texts.get(key);
            if folder.is_some() && Button::new(&text).small().show(ui, theme).clicked() {
                to = folder;
            }
        }
        if !matches!(chooser.kind, ChooserKind::Files { .. }) {
            let text = texts.get("chooser-new-folder");
            if Button::new(&text).small().show(ui, theme).clicked() {
                let name = texts.get("chooser-folder-name");
                chooser.create_folder(ui.ctx(), &name);
            }
        }
        let shown = chooser.reading.path.display().to_string();
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
        elided(ui, rect, Align::Min, &shown, Type::Body.font(), theme.secondary);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &shown));
        if let Some(folder) = to {
            chooser.go(ui.ctx(), folder);
        }
    });
}

fn entries(ui: &mut Ui, view: &View<'_>, chooser: &mut FileChooser) -> Option<ChooserAnswer> {
    let (theme, texts) = (view.theme, view.texts);
    let height = (ui.ctx().content_rect().height() - 340.0).clamp(60.0, 320.0);
    let mut answer = None;
    let area = ScrollArea::vertical().id_salt(&chooser.reading.path).max_height(height);
    area.min_scrolled_height(height).auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let Some(listing) = chooser.reading.listing.clone() else {
            label(ui, &texts.get("chooser-reading"), Type::Body, theme.secondary);
            return;
        };
        if let Some(error) = &listing.error {
            let message = texts.with("chooser-unreadable", &[("reason", texts.say(error).into())]);
            paragraph(ui, &message, Type::Body, theme.warn);
        } else if listing.entries.is_empty() {
            let empty = match chooser.kind {
                ChooserKind::Folder { .. } => key!("chooser-no-subfolders"),
                _ => key!("chooser-empty"),
            };
            label(ui, &texts.get(empty), Type::Body, theme.secondary);
        }
        let last = listing.entries.len().saturating_sub(1);
        let mut focus = None;
        for (index, entry) in listing.entries.iter().enumerate() {
            let chosen = chooser.chosen.contains(&entry.path);
            let response = line(ui, view, entry, chosen);
            if response.has_focus() {
                let pressed = |key| ui.input_mut(|it| it.consume_key(Modifiers::NONE, key));
                if pressed(Key::ArrowDown) {
                    focus = Some((index + 1).min(last));
                } else if pressed(Key::ArrowUp) {
                    focus = Some(index.saturating_sub(1));
                } else if pressed(Key::Enter) {
                    answer = answer.take().or(chooser.press(ui.ctx(), entry, true, false));
                }
                ui.memory_mut(|memory| {
                    let arrows = egui::EventFilter { vertical_arrows: true, ..Default::default() };
                    memory.set_focus_lock_filter(response.id, arrows);
                });
            }
            let besides = ui.input(|input| input.modifiers.command || input.modifiers.shift);
            if response.double_clicked() {
                answer = answer.take().or(chooser.press(ui.ctx(), entry, true, false));
            } else if response.clicked() {
                answer = answer.take().or(chooser.press(ui.ctx(), entry, false, besides));
            }
        }
        if let Some(index) = focus
            && let Some(entry) = listing.entries.get(index)
        {
            ui.memory_mut(|memory| memory.request_focus(line_id(&entry.path)));
        }
        if listing.cut {
            paragraph(ui, &texts.get("chooser-cut"), Type::Small, theme.secondary);
        }
    });
    answer
}

fn line_id(path: &Path) -> Id {
    Id::unique("chooser-line").with(path)
}

fn line(ui: &mut Ui, view: &View<'_>, entry: &Entry, chosen: bool) -> egui::Response {
    let theme = view.theme;
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 28.0));
    let response = ui.interact(rect, line_id(&entry.path), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &entry.name));
    if chosen || response.hovered() {
        let fill = if chosen { theme.selected() } else { theme.raised };
        ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    }
    let center = pos2(rect.left() + 16.0, rect.center().y);
    let symbol = if entry.is_folder { Icon::Folder } else { Icon::Film };
    let icon = icons::paint_at(ui.painter(), symbol, center, 16.0, theme.secondary);
    let mut words = rect.shrink2(vec2(gap::S, 0.0));
    if !entry.is_folder {
        let size = format::bytes(entry.bytes);
        let painted = elided(ui, words, Align::Max, &size, Type::Small.font(), theme.secondary);
        words.max.x = painted.left() - gap::S;
    }
    words.min.x = icon.right() + gap::S;
    elided(ui, words, Align::Min, &entry.name, Type::Body.font(), theme.text);
    focus_ring(ui, theme, &response, 4);
    response
}

/// Draws the choices that appear while the desktop's file dialog does not respond.
pub fn waiting(ctx: &egui::Context, view: &View<'_>) -> Option<WaitAnswer> {
    let (theme, texts) = (view.theme, view.texts);
    let mut answer = None;
    modal(ctx, theme, "file-chooser-wait", 420.0, |ui| {
        label(ui, &texts.get("chooser-waits"), Type::Title, theme.text);
        paragraph(ui, &texts.get("chooser-waits-note"), Type::Body, theme.secondary);
        ui.add_space(gap::S);
        ui.horizontal(|ui| {
            if Button::new(&texts.get("chooser-own")).show(ui, theme).clicked() {
                answer = Some(WaitAnswer::Own);
            }
            if Button::new(&texts.get("cancel")).show(ui, theme).clicked() {
                answer = Some(WaitAnswer::Cancel);
            }
        });
        None
    });
    answer
}

/// The user's decision about a desktop's chooser that has not responded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WaitAnswer {
    /// Cancels without a choice.
    Cancel,
    /// Opens onair's own chooser instead.
    Own,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_path() {
        let at = |typed| absolute(Path::new("/home/ada"), typed);
        assert_eq!(at("a/b.mp4"), Path::new("/home/ada/a/b.mp4"));
        assert_eq!(at("/tmp/../x"), Path::new("/x"));
        assert_eq!(at("../../../.."), Path::new("/"));
        assert_eq!(at("./a"), Path::new("/home/ada/a"));
        assert_eq!(at("~"), dirs::home_dir().unwrap_or_default());
        assert_eq!(at("~x"), Path::new("/home/ada/~x"));
    }

    #[test]
    fn a_file_is_replaced_only_after_the_question_about_this_file() {
        let folder = tempfile::tempdir().unwrap();
        let ctx = egui::Context::default();
        let name = "a.toml".to_owned();
        let kind = ChooserKind::NewFile { endings: vec!["toml".to_owned()], name };
        let mut chooser = FileChooser::new(&ctx, kind, Some(folder.path().to_owned()));
        let [a, b] = ["a.toml", "b.toml"].map(|name| folder.path().join(name));
        let save = |chooser: &mut FileChooser, path: &Path| {
            chooser.looked = Some(Reading::of_file(path.to_owned()));
            chooser.decide()
        };
        assert_eq!(save(&mut chooser, &a), None);
        assert_eq!(chooser.wrong, Some("chooser-exists"));
        assert_eq!(save(&mut chooser, &b), None, "the question was about the other file");
        assert_eq!(save(&mut chooser, &b), Some(ChooserAnswer::Chosen(vec![b.clone()])));
        let entry =
            Entry { path: a.clone(), name: "a.toml".to_owned(), is_folder: false, bytes: 1 };
        assert_eq!(chooser.press(&ctx, &entry, false, false), None);
        assert_eq!((chooser.typed.as_str(), chooser.wrong), ("a.toml", None));
        assert_eq!(save(&mut chooser, &a), None);
    }
}
