//! Passes clicks and keys on the canvas to the browser page that an item shows, until Esc. Positions go
//! back through the placement of the item, so that also a turned, cropped or mirrored page is pressed
//! where the user sees it.

use egui::{EventFilter, Key, Modifiers, Rect, Role, Sense, Ui, WidgetInfo};

use crate::capture::VideoChoice;
use crate::capture::browser::PageInput;
use crate::compose::scene::{Content, Item, SourceId};
use crate::studio::{Command, Snapshot};
use crate::ui::scenes::canvas::handles::{Frame, outline};
use crate::ui::scenes::canvas::interaction::{Interaction, of_keyboard};
use crate::ui::scenes::canvas::page_pointer::{PageMapping, of_pointer};
use crate::ui::scenes::draft::{Draft, name_of, natural};
use crate::ui::view::View;
use crate::ui::widgets::focus_ring;

/// Returns the source of an item that shows a browser page.
pub fn page_of(snapshot: &Snapshot, item: &Item) -> Option<SourceId> {
    let Content::Source(id) = item.content else { return None };
    matches!(snapshot.shown_by(id), Some(VideoChoice::Browser(_))).then_some(id)
}

/// Handles the input of the canvas. Returns false if the user does not work with a page.
pub fn show(
    ui: &Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    (frame, items): (Frame, &[Item]),
    room: Rect,
) -> bool {
    let Some(mut it) = draft.interaction.take() else { return false };
    let item = items.iter().find(|item| item.id == it.item && !item.hidden);
    let page = item.and_then(|item| Some((item, page_of(view.snapshot, item)?)));
    let Some((item, source)) = page.filter(|_| draft.selected == Some(it.item)) else {
        end(view, it);
        return false;
    };
    let response = ui.interact(room, ui.scope_id().with("interact"), Sense::click_and_drag());
    if !std::mem::replace(&mut it.focused, true) || response.clicked() || response.dragged() {
        response.request_focus();
    }
    let name = view.texts.with("canvas-interacting", &[("name", name_of(view, item).into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
    let size = natural(view.snapshot, item);
    let own = view.snapshot.scenes.source(source).and_then(|it| it.frame_size);
    let way = PageMapping::new(frame, &item.place, size, own.unwrap_or(size));
    let over = response.contains_pointer();
    let (events, now) = ui.input(|input| (input.events.clone(), input.time));
    it.pointer = ui.ctx().pointer_latest_pos();
    let mut inputs = Vec::new();
    for event in &events {
        inputs.extend(way.and_then(|way| of_pointer(&mut it, way, event, over, now)));
        if response.has_focus() {
            of_keyboard(event, &mut inputs);
        }
    }
    let last = inputs.iter().rev().find_map(|input| match input {
        PageInput::Pointer { at, .. } => Some(*at),
        _ => None,
    });
    it.place = last.map(|at| (source, at)).or(it.place);
    it.takes_keys = response.has_focus();
    let mut ends = false;
    if response.has_focus() {
        let filter =
            EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        ends = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    }
    for input in inputs {
        view.send(Command::PageInput(source, input));
    }
    if ends {
        end(view, it);
        ui.memory_mut(|memory| memory.request_focus(ui.scope_id().with("canvas")));
    } else {
        outline(ui, view, frame, item, false);
        focus_ring(ui, view.theme, &response, 2);
        draft.interaction = Some(it);
    }
    true
}

/// Ends the work with a page.
fn end(view: &mut View<'_>, it: Interaction) {
    let Some((source, inputs)) = it.release() else { return };
    for input in inputs {
        view.send(Command::PageInput(source, input));
    }
}
