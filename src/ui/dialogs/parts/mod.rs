//! The dialog for scene collections and profiles. It lists them, marks the current one, and can
//! create, rename, copy, remove, import, export and restore them.

pub mod draft;
pub mod import_report;

use egui::{
    Align, Color32, Id, Key, Layout, Memory, Modifiers, Response, ScrollArea, Ui, UiBuilder, vec2,
};

use crate::studio::command::PartCommand;
use crate::studio::settings::part::versions::Version;
use crate::studio::settings::part::{PartKind, PartSummary, check_name, is_same_name};
use crate::studio::{Command, Notice};
use crate::text::problem::{Problem, problem};
use crate::ui::dialogs::card::{DialogAnswer, buttons, heading, modal, removal_question};
use crate::ui::dialogs::parts::draft::{Naming, PartsDraft, Step};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap, size};
use crate::ui::text::{Texts, format};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    Button, ButtonWeight, Field, Row, at_line_end, icon_button, label, named_switch, paragraph,
    select_all, truncated,
};

const DIALOG_WIDTH_POINTS: f32 = 520.0;

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    draft: &mut PartsDraft,
    fresh: bool,
) -> Option<DialogAnswer> {
    let answer = modal(ctx, view.theme, "parts", DIALOG_WIDTH_POINTS, |ui| {
        let close = heading(ui, view, &view.texts.get("parts"));
        // Escape returns to the list before it closes the dialog.
        let returns = !matches!(draft.step, Step::List | Step::Delete(_));
        if returns && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            return_to_list(view, draft);
        }
        // In another step, the user no longer waits for the deletion.
        if draft.step != Step::List {
            draft.deleting = None;
        }
        match draft.step.clone() {
            Step::List => list(ui, view, draft, fresh),
            Step::Name(naming, ..) => name(ui, view, draft, &naming),
            Step::Delete(name) => delete(ui, view, draft, &name),
            Step::Versions(name) => versions(ui, view, draft, &name),
            Step::Import => import(ui, view, draft),
        }
        if close {
            *draft = PartsDraft::of(draft.kind);
        }
        close.then_some(DialogAnswer::Close)
    });
    // The dialog has shown the problem of its last request.
    if answer.is_some()
        && let Some(notice) = failure(view)
    {
        view.send(Command::Dismiss(notice.id));
    }
    answer
}

/// Returns the problem of the last request.
fn failure<'a>(view: &View<'a>) -> Option<&'a Notice> {
    view.snapshot.notices.iter().rev().find(|it| it.key() == "part-failed")
}

/// Returns to the list. The row of the step's collection or profile, or else the row in use, gets the
/// keyboard focus.
fn return_to_list(view: &View<'_>, draft: &mut PartsDraft) {
    let left = match &draft.step {
        Step::Name(Naming::Rename(name), ..) | Step::Versions(name) => Some(name),
        _ => None,
    };
    let parts = &view.snapshot.parts;
    let listed = left.filter(|name| parts.names(draft.kind).contains(name)).cloned();
    let in_use = || parts.in_use.name(draft.kind).to_owned();
    draft.focused = Some(listed.unwrap_or_else(in_use));
    draft.step = Step::List;
}

/// Chooses one of two texts according to the kind.
fn of_kind(kind: PartKind, collection: &'static str, profile: &'static str) -> &'static str {
    match kind {
        PartKind::Collection => collection,
        PartKind::Profile => profile,
    }
}

/// Returns true if the profile in use cannot change, because it is on air or recorded.
fn is_fixed(view: &View<'_>, kind: PartKind) -> bool {
    kind == PartKind::Profile && view.snapshot.is_live_or_recording()
}

/// Returns true if this is the profile in use, and cannot change.
fn is_locked(view: &View<'_>, kind: PartKind, name: &str) -> bool {
    is_fixed(view, kind) && view.snapshot.parts.in_use.name(kind) == name
}

/// Adds the reason to a button that is disabled because the profile in use `is_fixed`.
fn with_reason(ui: &Ui, view: &View<'_>, is_fixed: bool, button: Response) -> Response {
    if !is_fixed {
        return button;
    }
    let why = view.texts.get("part-use-on-air");
    ui.ctx().accesskit_node_builder(button.id, |node| node.set_description(&*why));
    button.on_hover_text(&*why)
}

fn list(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, fresh: bool) {
    let (theme, texts) = (view.theme, view.texts);
    ui.columns(2, |columns| {
        let both = [(PartKind::Collection, Icon::Film), (PartKind::Profile, Icon::Settings)];
        for (ui, (kind, icon)) in columns.iter_mut().zip(both) {
            let title = texts.get(of_kind(kind, key!("collections"), key!("profiles")));
            let (second, chosen) = (view.snapshot.parts.in_use.name(kind), kind == draft.kind);
            let row = Row { icon, title: &title, second, chosen, lamp: None }.show(ui, theme);
            if fresh && chosen {
                row.request_focus();
            }
            if row.clicked() {
                draft.kind = kind;
                draft.deleting = None;
                draft.forget_awaited();
            }
        }
    });
    let note = of_kind(draft.kind, key!("collections-note"), key!("profiles-note"));
    paragraph(ui, &texts.get(note), Type::Small, theme.secondary);
    trouble(ui, view, draft);
    let parts = &view.snapshot.parts;
    if !parts.is_kept {
        paragraph(ui, &texts.get("parts-not-kept"), Type::Body, theme.text);
        return;
    }
    ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
        for name in parts.names(draft.kind) {
            // The controls of a row keep their ids, and so the focus, if another row comes or goes.
            let scope = UiBuilder::new().scope_id(Id::unique(("part-row", draft.kind, name)));
            ui.scope_builder(scope, |ui| row(ui, view, draft, name));
        }
        let deleted = parts.deleted(draft.kind);
        if !deleted.is_empty() {
            label(ui, &texts.get("parts-deleted"), Type::Small, theme.secondary);
        }
        for name in deleted {
            ui.push_id(("deleted", name), |ui| deleted_row(ui, view, draft, name));
        }
    });
    ui.add_space(gap::S);
    list_buttons(ui, view, draft);
}

/// Draws the buttons below the list.
fn list_buttons(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft) {
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let in_use = view.snapshot.parts.in_use.name(draft.kind).to_owned();
        let new = Button::new(&texts.get("part-new")).icon(Icon::Plus).show(ui, theme);
        if new.clicked() {
            draft.step = Step::Name(Naming::New, String::new(), None);
        }
        // The copy would be in use.
        let is_fixed = is_fixed(view, draft.kind);
        let words = texts.get("part-duplicate");
        let duplicate = Button::new(&words).enabled(!is_fixed).show(ui, theme);
        if with_reason(ui, view, is_fixed, duplicate).clicked() {
            let copy = texts.with("part-copy-of", &[("name", in_use.clone().into())]);
            draft.step = Step::Name(Naming::Duplicate, copy, None);
        }
        if Button::new(&texts.get("part-versions")).show(ui, theme).clicked() {
            list_versions(view, draft, &in_use);
        }
        if Button::new(&texts.get("part-import")).show(ui, theme).clicked() {
            match draft.kind {
                // A collection needs no further choice.
                PartKind::Collection => view.request(WindowRequest::PickPart(draft.kind, false)),
                PartKind::Profile => {
                    (draft.step, draft.with_key) = (Step::Import, false);
                    draft.focused = Some(in_use.clone());
                }
            }
        }
        if Button::new(&texts.get("part-export")).show(ui, theme).clicked() {
            view.request(WindowRequest::SavePart(draft.kind, in_use));
        }
    });
}

fn list_versions(view: &mut View<'_>, draft: &mut PartsDraft, name: &str) {
    view.send(Command::Part(PartCommand::ListVersions(draft.kind, name.to_owned())));
    draft.step = Step::Versions(name.to_owned());
    draft.focused = Some(name.to_owned());
}

/// Draws the problem of the last request, next to the control that made it.
fn trouble(ui: &mut Ui, view: &View<'_>, draft: &mut PartsDraft) {
    let failed = failure(view);
    let control = ui.memory(Memory::focused);
    draft.learn(failed.map(|notice| notice.id), &view.snapshot.parts, control);
    if let Some(notice) = failed {
        paragraph(ui, &view.texts.say(&notice.problem), Type::Small, view.theme.warn);
    } else {
        // The next controls keep their ids, and so the focus.
        ui.skip_ahead_auto_ids(1);
    }
}

fn row(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, name: &str) {
    let (theme, texts, kind) = (view.theme, view.texts, draft.kind);
    let in_use = view.snapshot.parts.in_use.name(kind) == name;
    let is_fixed = is_fixed(view, kind);
    let room = vec2(ui.available_width(), size::LIST_ROW_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        let named = |key| texts.with(key, &[("name", name.to_owned().into())]);
        at_line_end(ui, |ui| {
            let use_button = ui.next_auto_id();
            if !in_use {
                let used = named(key!("part-use"));
                let words = texts.get("part-use-short");
                let button = Button::new(&words).name(&used).small().enabled(!is_fixed);
                let button = button.show(ui, theme);
                if with_reason(ui, view, is_fixed, button).clicked() {
                    view.send(Command::Part(PartCommand::Use(kind, name.to_owned())));
                    draft.forget_awaited();
                }
            } else {
                // The next controls have the same ids in every row.
                ui.skip_ahead_auto_ids(1);
            }
            let versions = named(key!("versions-of"));
            if icon_button(ui, theme, Icon::Clock, &versions, 28.0).clicked() {
                list_versions(view, draft, name);
            }
            let rename = named(key!("part-rename"));
            let words = texts.get("part-rename-short");
            let rename = Button::new(&words).name(&rename).small().show(ui, theme);
            // *Use* has gone with the focus, because the collection or profile is now in use.
            if in_use && ui.memory(|memory| memory.has_focus(use_button)) {
                rename.request_focus();
            }
            if rename.clicked() {
                draft.step = Step::Name(Naming::Rename(name.to_owned()), name.to_owned(), None);
            }
            let (delete, is_locked) = (named(key!("part-delete")), is_locked(view, kind, name));
            let remove = Button::new("").icon(Icon::Trash).weight(ButtonWeight::Quiet);
            let remove = remove.width(28.0).height(28.0).name(&delete).enabled(!is_locked);
            let remove = remove.show(ui, theme).on_hover_text(delete.as_str());
            let remove = with_reason(ui, view, is_locked, remove);
            let is_free = ui.memory(Memory::focused).is_none();
            if draft.step == Step::List && draft.focuses(name, &view.snapshot.parts, is_free) {
                let next = if draft.focuses_delete && !is_locked { &remove } else { &rename };
                next.request_focus();
                draft.next_button = Some(next.id);
                draft.focuses_delete = false;
            }
            if remove.clicked() {
                draft.step = Step::Delete(name.to_owned());
                draft.focused = Some(name.to_owned());
                draft.focuses_delete = true;
            }
        });
        if !in_use {
            one_line(ui, name, theme.text);
            return;
        }
        let summary = in_words(texts, kind, &summary_now(view));
        let words = format!("{} · {summary}", texts.get("part-in-use"));
        two_lines(ui, theme, name, &words);
    });
}

/// Draws a name in the middle of the height of a row.
fn one_line(ui: &mut Ui, name: &str, color: Color32) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        truncated(ui, name, Type::Body, color);
    });
}

/// Draws a text and a smaller one below it, in the middle of the height of a row.
fn two_lines(ui: &mut Ui, theme: &Theme, upper: &str, lower: &str) {
    let lines = [(upper, Type::Body, theme.text), (lower, Type::Small, theme.secondary)];
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let room = ui.available_height();
        let height: f32 = lines
            .iter()
            .map(|(text, kind, color)| {
                ui.painter().layout_no_wrap((*text).to_owned(), kind.font(), *color).size().y
            })
            .sum();
        ui.add_space(((room - height) / 2.0).max(0.0));
        for (text, kind, color) in lines {
            truncated(ui, text, kind, color);
        }
    });
}

/// Draws a deleted collection or profile, which can be restored.
fn deleted_row(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, name: &str) {
    let (theme, texts) = (view.theme, view.texts);
    let room = vec2(ui.available_width(), size::LIST_ROW_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        let versions = texts.with("versions-of", &[("name", name.to_owned().into())]);
        let words = texts.get("part-versions");
        if Button::new(&words).name(&versions).small().show(ui, theme).clicked() {
            list_versions(view, draft, name);
        }
        one_line(ui, name, theme.secondary);
    });
}

/// Returns the summary of the current collection and profile.
fn summary_now(view: &View<'_>) -> PartSummary {
    let snapshot = view.snapshot;
    PartSummary {
        scenes: snapshot.scenes.collection.scenes.len(),
        sources: snapshot.scenes.collection.sources.len(),
        targets: snapshot.targets.len(),
        size: snapshot.quality.size,
        fps: snapshot.quality.frame_rate.to_string(),
        kbps: snapshot.quality.video_bitrate.0 / 1_000,
    }
}

/// Returns the summary as text: `3 scenes, 5 sources`.
fn in_words(texts: &Texts, kind: PartKind, summary: &PartSummary) -> String {
    let count = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
    match kind {
        PartKind::Collection => texts.say(&problem!(
            "part-scenes",
            scenes = count(summary.scenes),
            sources = count(summary.sources)
        )),
        PartKind::Profile => texts.say(&problem!(
            "part-targets",
            targets = count(summary.targets),
            size = format::size(summary.size),
            fps = summary.fps.clone(),
            kbps = format::grouped(summary.kbps.into())
        )),
    }
}

fn name_field() -> Id {
    Id::unique("part-name")
}

fn name(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, naming: &Naming) {
    let (theme, texts, kind) = (view.theme, view.texts, draft.kind);
    let Step::Name(_, text, wrong) = &mut draft.step else { return };
    let (title, done) = match naming {
        Naming::New => (
            of_kind(kind, key!("collection-new-title"), key!("profile-new-title")),
            key!("part-create"),
        ),
        Naming::Duplicate => (
            of_kind(kind, key!("collection-duplicate-title"), key!("profile-duplicate-title")),
            key!("part-create"),
        ),
        Naming::Rename(_) => (key!("part-rename-title"), key!("part-rename-short")),
    };
    label(ui, &texts.get(title), Type::Body, theme.text);
    let hint = texts.get("part-name-hint");
    let field = Field {
        name: &texts.get("part-name"),
        hint: &hint,
        wrong: wrong.is_some(),
        limit: 200,
        width: ui.available_width(),
        ..Field::new(name_field(), text)
    }
    .show(ui, theme);
    // The field has to be asked before it gets the focus back.
    let left = field.response.lost_focus();
    let entered = left && ui.input(|input| input.key_pressed(Key::Enter));
    if !ui.ctx().memory(|memory| memory.focused().is_some()) {
        if !left {
            select_all(ui, name_field(), text);
        }
        field.response.request_focus();
    }
    if field.response.changed() {
        *wrong = None;
    }
    if let Some(why) = wrong {
        paragraph(ui, &texts.say(why), Type::Small, theme.warn);
    }
    let [yes, no] =
        buttons(ui, theme, &texts.get(done), ButtonWeight::Primary, &texts.get("cancel"));
    if no.clicked() {
        return_to_list(view, draft);
    } else if yes.clicked() || entered {
        match checked(view, kind, naming, text) {
            Ok(name) => {
                draft.focused = Some(name.clone());
                let command = match naming {
                    Naming::New => PartCommand::New(kind, name),
                    Naming::Duplicate => PartCommand::Duplicate(kind, name),
                    Naming::Rename(was) => PartCommand::Rename { kind, was: was.clone(), name },
                };
                view.send(Command::Part(command));
                draft.step = Step::List;
            }
            Err(why) => *wrong = Some(why),
        }
    }
}

/// Returns the entered name, if it is valid and free.
fn checked(
    view: &View<'_>,
    kind: PartKind,
    naming: &Naming,
    text: &str,
) -> Result<String, Problem> {
    let name = check_name(text)?;
    let same = |it: &String| is_same_name(it, &name);
    let own = matches!(naming, Naming::Rename(was) if same(was));
    if !own && view.snapshot.parts.names(kind).iter().any(same) {
        return Err(problem!("part-name-taken", name = name));
    }
    Ok(name)
}

fn delete(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, name: &str) {
    let (texts, kind) = (view.texts, draft.kind);
    let title = of_kind(kind, key!("collection-delete-title"), key!("profile-delete-title"));
    let title = texts.with(title, &[("name", name.to_owned().into())]);
    let note = of_kind(kind, key!("collection-delete-note"), key!("profile-delete-note"));
    let (note, yes) = (texts.get(note), texts.get("part-delete-yes"));
    let focuses_no = draft.focused.take().is_some();
    let next = match removal_question(ui, view, &title, &note, &yes, focuses_no) {
        Some(true) => {
            view.send(Command::Part(PartCommand::Delete(kind, name.to_owned())));
            draft.deleting = Some(name.to_owned());
            draft.seen_problem = failure(view).map(|notice| notice.id);
            // The focus goes to the row that is in use then.
            let parts = &view.snapshot.parts;
            let in_use = parts.in_use.name(kind);
            let mut others = parts.names(kind).iter().filter(|it| *it != name);
            let other = others.next().map_or(name, String::as_str);
            if in_use == name { other } else { in_use }
        }
        Some(false) => name,
        None => return,
    };
    draft.focused = Some(next.to_owned());
    draft.step = Step::List;
}

fn versions(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft, name: &str) {
    let (theme, texts, kind) = (view.theme, view.texts, draft.kind);
    let parts = &view.snapshot.parts;
    let title = texts.with("versions-of", &[("name", name.to_owned().into())]);
    label(ui, &title, Type::Body, theme.text);
    if kind == PartKind::Profile {
        let is_deleted = parts.deleted(kind).iter().any(|it| it == name);
        let (gone, removed) = (key!("versions-no-keys"), key!("versions-removed-keys"));
        let note = if is_deleted { gone } else { removed };
        paragraph(ui, &texts.get(note), Type::Small, theme.secondary);
    }
    paragraph(ui, &texts.get("versions-note"), Type::Small, theme.secondary);
    trouble(ui, view, draft);
    let list = parts.versions.as_ref().filter(|it| it.kind == kind && it.name == name);
    // The list arrives later. Another control may have the focus then, and keeps it. The focus of the
    // button that opened the list ends with the first pass.
    let is_free = list.is_some() && ui.memory(Memory::focused).is_none();
    let mut focuses = is_free && draft.focused.take().is_some();
    if list.is_some() && draft.focused.is_some() {
        let pass = ui.cumulative_pass_nr();
        let waited_in = draft.waited_in.replace(pass);
        draft.focused.take_if(|_| waited_in.is_some_and(|it| it + 1 == pass));
        ui.request_repaint();
    }
    let list = list.map(|it| it.versions.as_slice()).unwrap_or_default();
    if list.is_empty() {
        paragraph(ui, &texts.get("versions-none"), Type::Body, theme.text);
    }
    let is_locked = is_locked(view, kind, name);
    ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
        for version in list {
            let focuses = !is_locked && std::mem::take(&mut focuses);
            ui.push_id(&version.id, |ui| {
                version_row(ui, view, draft, (name, version), (is_locked, focuses));
            });
        }
    });
    ui.add_space(gap::S);
    let back = Button::new(&texts.get("part-back")).show(ui, theme);
    if focuses {
        back.request_focus();
    }
    if back.clicked() {
        return_to_list(view, draft);
    }
}

/// Draws a version of a collection or profile. Its button is disabled if `is_locked`, and gets the
/// keyboard focus if `focuses`.
fn version_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut PartsDraft,
    (part, version): (&str, &Version),
    (is_locked, focuses): (bool, bool),
) {
    let (theme, texts, kind) = (view.theme, view.texts, draft.kind);
    let in_use = view.snapshot.parts.in_use.name(kind) == part;
    let room = vec2(ui.available_width(), size::LIST_ROW_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        let time = version.id.local_time();
        let name = texts.with("version-restore", &[("time", time.clone().into())]);
        let words = texts.get("version-restore-short");
        let restore = Button::new(&words).name(&name).small().enabled(!is_locked).show(ui, theme);
        let restore = with_reason(ui, view, is_locked, restore);
        if focuses {
            restore.request_focus();
        }
        if restore.clicked() {
            let id = version.id.clone();
            view.send(Command::Part(PartCommand::Restore { kind, name: part.to_owned(), id }));
            if !in_use {
                // The list shows the restored one, or the problem.
                draft.step = Step::List;
                draft.focused = Some(part.to_owned());
            }
        }
        let (then, now) =
            (in_words(texts, kind, &version.summary), in_words(texts, kind, &summary_now(view)));
        let words = match then == now {
            // The window knows only the state of the one in use.
            _ if !in_use => then,
            true => texts.with("version-as-many", &[("what", then.into())]),
            false => texts.with("version-differs", &[("then", then.into()), ("now", now.into())]),
        };
        two_lines(ui, theme, &time, &words);
    });
}

/// Draws the options that precede the choice of a profile's file.
fn import(ui: &mut Ui, view: &mut View<'_>, draft: &mut PartsDraft) {
    let (theme, texts) = (view.theme, view.texts);
    label(ui, &texts.get("profile-import-title"), Type::Body, theme.text);
    paragraph(ui, &texts.get("profile-import-note"), Type::Small, theme.secondary);
    let name = texts.get("profile-import-key");
    if named_switch(ui, theme, &name, "", Type::Body, draft.with_key) {
        draft.with_key = !draft.with_key;
    }
    let words = (texts.get("part-choose-file"), texts.get("cancel"));
    let [yes, no] = buttons(ui, theme, &words.0, ButtonWeight::Primary, &words.1);
    if draft.focused.take().is_some() {
        yes.request_focus();
    }
    if yes.clicked() {
        view.request(WindowRequest::PickPart(draft.kind, draft.with_key));
    }
    if yes.clicked() || no.clicked() {
        return_to_list(view, draft);
    }
}
