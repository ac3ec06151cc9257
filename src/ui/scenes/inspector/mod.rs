//! The inspector: edits the object that is selected on the canvas or in the list. Changes take
//! effect at once and can be undone. Entered text is kept when another object is selected.

mod filters;
mod placement;

use std::sync::Arc;

use egui::{Align, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::compose::scene::{Item, SourceId};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::scenes::draft::{Draft, Section, chosen, name_of};
use crate::ui::scenes::kind::icon_of;
use crate::ui::scenes::source;
use crate::ui::scenes::source::kind_fields::with_words;
use crate::ui::style::icons;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{elided, ends_wait, is_free, label, paragraph};

/// Draws the inspector in the available width.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let chosen = chosen(view.snapshot, draft);
    let item = chosen.first().copied();
    let shown = shown(view.snapshot, draft, item);
    keep_typed(view, draft, shown);
    ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
    if item.is_none() && shown.is_none() {
        label(ui, &view.texts.get("inspector-nothing"), Type::BodyStrong, view.theme.text);
        let advice = view.texts.get("inspector-nothing-advice");
        paragraph(ui, &advice, Type::Body, view.theme.secondary);
        return;
    }
    heading(ui, view, item, shown);
    let others = chosen.len().saturating_sub(1);
    if others > 0 {
        let text = view.texts.counted("inspector-several", others);
        paragraph(ui, &text, Type::Small, view.theme.secondary);
    }
    if let Some(source) = shown.filter(|source| !source.is_composed()) {
        source::contents(ui, view, draft, source);
    }
    if let Some(item) = item {
        placement::show(ui, view, item);
        placement::transitions(ui, view, item);
    }
    // While a dialog closes, it still has the keyboard focus, so the section waits.
    let (pass, is_free) = (ui.ctx().cumulative_pass_nr(), is_free(ui));
    if let Some(source) = shown {
        let enters = matches!(draft.section, Some((Section::Filters, _)));
        let top = ui.cursor().min;
        if source.as_scene().is_some() {
            let hint = view.texts.get("inspector-filters-of-scene");
            paragraph(ui, &hint, Type::Small, view.theme.secondary);
        }
        filters::show(ui, view, draft, source, enters && is_free);
        // The list scrolls to an expanded filter after the first one.
        if enters && draft.filter == 0 {
            let all = egui::Rect::from_min_max(top, ui.min_rect().max);
            ui.scroll_to_rect(all, Some(Align::Min));
        }
    }
    draft.section.take_if(|(_, since)| ends_wait(since, pass, is_free));
    if draft.section.is_some() {
        ui.ctx().request_repaint();
    }
    if let Some(source) = shown.filter(|source| *source != MAIN_SOURCE && !source.is_composed()) {
        source::written(ui, view, draft, source);
    }
    ui.add_space(gap::M);
}

/// Returns the source that the inspector shows if this item is selected.
fn shown(snapshot: &Snapshot, draft: &Draft, item: Option<&Item>) -> Option<SourceId> {
    let collection = &snapshot.scenes.collection;
    match item {
        Some(_) => item.map(Item::filtered),
        None => draft.inspected.filter(|id| {
            *id == MAIN_SOURCE
                || collection.source(*id).is_some()
                || id.as_scene().is_some_and(|scene| collection.scene(scene).is_some())
        }),
    }
}

/// Returns the expanded filter: its source and its index.
pub fn expanded_filter(snapshot: &Snapshot, draft: &Draft) -> Option<(SourceId, usize)> {
    let item = chosen(snapshot, draft).first().copied();
    Some((shown(snapshot, draft, item)?, draft.filter))
}

/// Draws the icon and the name of the edited object.
fn heading(ui: &mut Ui, view: &View<'_>, item: Option<&Item>, shown: Option<SourceId>) {
    let name = match (item, shown) {
        (Some(item), _) => name_of(view, item),
        (None, Some(id)) => match view.snapshot.scenes.collection.source_name(id) {
            "" => view.texts.get("scenes-main").to_string(),
            name => name.to_owned(),
        },
        (None, None) => String::new(),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let mut words = rect;
    if let Some(item) = item {
        let at = pos2(rect.left() + 8.0, rect.center().y);
        let icon = icon_of(view, item);
        let icon = icons::paint_at(ui.painter(), icon, at, 16.0, view.theme.secondary);
        words.min.x = icon.right() + gap::S;
    }
    elided(ui, words, Align::Min, &name, Type::Sentence.font(), view.theme.text);
    let called = view.texts.with("source-properties", &[("name", name.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &called));
}

/// Applies text that was entered for sources that are no longer shown; `shown` is the source that
/// is shown now. Text that is not valid is kept until its source is selected again.
pub fn keep_typed(view: &mut View<'_>, draft: &mut Draft, shown: Option<SourceId>) {
    let collection = Arc::clone(&view.snapshot.scenes.collection);
    draft.words.retain(|id, text| {
        if Some(*id) == shown {
            return true;
        }
        let Some(source) = collection.source(*id) else { return false };
        match with_words(&source.choice, text) {
            Some(choice) => {
                if choice != source.choice {
                    view.send(Command::Edit(Edit::SetSource(*id, choice)));
                }
                false
            }
            None => true,
        }
    });
    if draft.source_text.as_ref().is_some_and(|(id, _)| Some(*id) != shown) {
        source::apply_written(view, draft);
    }
    // This value was being dragged when another object was selected.
    if let Some((id, choice)) = draft.held.take_if(|(id, _)| Some(*id) != shown)
        && collection.source(id).is_some()
    {
        view.send(Command::Edit(Edit::SetSource(id, choice)));
    }
    let elsewhere = draft.name.take_if(|(id, _)| Some(*id) != shown);
    if let Some((id, name)) = elsewhere.filter(|(_, name)| !name.trim().is_empty())
        && collection.source(id).is_some_and(|source| source.name != name)
    {
        view.send(Command::Edit(Edit::RenameSource(id, name)));
    }
}
