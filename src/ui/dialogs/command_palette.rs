//! Everything that can be done, found by typing a part of its name.

use egui::{
    Align, CornerRadius, Id, Key, Modifiers, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2,
};

use crate::ui::dialogs::card::{DialogAnswer, modal};
use crate::ui::input::actions::{Action, shortcut_text};
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Field, elided, label};

/// What is being looked for.
#[derive(Debug, Default)]
pub struct Search {
    query: String,
    at: usize,
}

/// Whether all words of `query` occur in `name`, in any order.
fn fits(name: &str, query: &str) -> bool {
    let name = name.to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

pub fn show(
    ctx: &egui::Context,
    view: &View<'_>,
    fresh: bool,
    search: &mut Search,
) -> Option<DialogAnswer> {
    let texts = view.texts;
    if fresh {
        *search = Search::default();
    }
    let (up, down, enter) = ctx.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    modal(ctx, view.theme, "palette", 480.0, |ui| {
        let field = Field {
            id: Id::unique("palette-query"),
            text: &mut search.query,
            name: &texts.get("palette"),
            hint: &texts.get("palette-hint"),
            hidden: false,
            wrong: false,
            limit: 200,
            buttons: &[],
            width: ui.available_width(),
        }
        .show(ui, view.theme);
        if fresh {
            field.response.request_focus();
        }
        if field.response.changed() {
            search.at = 0;
        }
        let found: Vec<Action> = Action::ALL
            .into_iter()
            .filter(|action| {
                *action != Action::Palette
                    && action.is_possible(view.snapshot)
                    && fits(&texts.get(action.key()), &search.query)
            })
            .collect();
        if found.is_empty() {
            label(ui, &texts.get("palette-none"), Type::Body, view.theme.secondary);
            return None;
        }
        let last = found.len() - 1;
        search.at = match (up, down) {
            (true, _) => search.at.checked_sub(1).unwrap_or(last),
            (_, true) => {
                if search.at >= last {
                    0
                } else {
                    search.at + 1
                }
            }
            _ => search.at.min(last),
        };
        let mut answer = None;
        ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for (index, action) in found.iter().enumerate() {
                let at = index == search.at;
                let response = line(ui, view, *action, at);
                if at && (up || down) {
                    response.scroll_to_me(None);
                }
                if response.clicked() || (at && enter) {
                    answer = Some(DialogAnswer::Act(*action));
                }
            }
        });
        answer
    })
}

fn line(ui: &mut Ui, view: &View<'_>, action: Action, at: bool) -> egui::Response {
    let theme = view.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::click());
    let name = view.texts.get(action.key());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, &*name));
    if at || response.hovered() || response.has_focus() {
        let fill = if at { theme.hover } else { theme.raised };
        ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    }
    let words = rect.shrink2(vec2(gap::S + 2.0, 0.0));
    elided(ui, words, Align::Min, &name, Type::Body.font(), theme.text);
    if let Some(keys) = shortcut_text(ui.ctx(), action) {
        elided(ui, words, Align::Max, &keys, Type::SmallStrong.font(), theme.secondary);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_order_and_case() {
        assert!(fits("Go live or stop", "live go"));
        assert!(fits("Go live or stop", ""));
        assert!(fits("开始或停止直播", "直播"));
        assert!(!fits("Go live or stop", "record"));
    }
}
