//! The properties of a browser page: size, frame rate, style, and what it does while hidden.

use egui::{DragValue, Id, Ui};

use crate::capture::BrowserPage;
use crate::compose::scene::{Content, SourceId};
use crate::media::Size;
use crate::studio::Command;
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::commands;
use crate::ui::scenes::draft::{Draft, chosen};
use crate::ui::scenes::source::fields::{figure, flag, hint, part};
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, TextBox, label};

/// The size of a page in OBS, with which many pages are designed.
const OBS_SIZE: Size = Size::new(800, 600);

/// Draws the properties of a page.
pub(super) fn contents(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    id: SourceId,
    page: &mut BrowserPage,
) {
    part(ui, view, key!("page-own-size"), &mut page.size, OBS_SIZE);
    if let Some(size) = &mut page.size {
        let range = f64::from(BrowserPage::MIN_SIDE)..=f64::from(BrowserPage::MAX_SIDE);
        for (key, side) in
            [(key!("part-width"), &mut size.width), (key!("part-height"), &mut size.height)]
        {
            // A page that is laid out at every number on the way would flicker.
            let field = DragValue::new(side).update_while_editing(false).speed(2.0);
            figure(ui, view, key, field, range.clone(), " px");
        }
    }
    part(ui, view, key!("page-own-rate"), &mut page.fps, 30);
    if let Some(fps) = &mut page.fps {
        let field = DragValue::new(fps).update_while_editing(false);
        figure(ui, view, key!("page-rate"), field, 1.0..=f64::from(BrowserPage::MAX_FPS), " fps");
    }
    flag(ui, view, key!("page-shut-down"), &mut page.shut_down_when_hidden);
    flag(ui, view, key!("page-refresh-shown"), &mut page.refresh_when_shown);
    flag(ui, view, key!("page-local"), &mut page.local_network);
    hint(ui, view, &view.texts.get("page-local-hint"));
    style(ui, view, draft, id, &mut page.css);
    ui.add_space(gap::S);
    if let [item] = *chosen(view.snapshot, draft)
        && item.content == Content::Source(id)
    {
        let text = view.texts.get("page-interact");
        if Button::new(&text).small().show(ui, view.theme).clicked() {
            commands::act_on(ui.ctx(), view, draft, &[item], Action::ItemInteract);
        }
    }
    let text = view.texts.get("page-refresh");
    if Button::new(&text).small().show(ui, view.theme).clicked() {
        view.send(Command::RefreshPage(id));
    }
}

/// Draws the field for the style sheet, which is applied when the field loses the keyboard focus.
fn style(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, id: SourceId, css: &mut String) {
    let name = view.texts.get("page-css").to_string();
    label(ui, &name, Type::Small, view.theme.secondary);
    let kept = draft.css.take_if(|(of, _)| *of == id);
    let mut text = kept.map_or_else(|| css.clone(), |(_, text)| text);
    let width = ui.available_width();
    let field = TextBox {
        id: Id::unique(("page-css", id)),
        text: &mut text,
        name: &name,
        rows: 3,
        limit: BrowserPage::MAX_CSS,
        width,
    };
    let response = field.show(ui, view.theme);
    if text == *css {
        return;
    }
    if response.lost_focus() {
        *css = text;
    } else {
        draft.css = Some((id, text));
    }
}
