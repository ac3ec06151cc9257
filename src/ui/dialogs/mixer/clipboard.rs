//! The buttons that copy the filters of a strip and paste them into another strip.

use egui::{Align, Id, Layout, Rect, Ui, UiBuilder, vec2};

use crate::mix::StripId;
use crate::mix::filter::{Filter, MAX_FILTERS, Slot};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, at_line_end};

/// Draws the buttons at the right end of the heading. Pasted filters follow those of the strip.
pub(super) fn buttons(
    ui: &mut Ui,
    view: &View<'_>,
    heading: Rect,
    strip: StripId,
    filters: &mut Vec<Slot>,
) {
    let place = Id::unique("copied-audio-filters");
    let copied: Vec<Slot> = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    // The buttons are higher than the heading.
    let above = (size::SMALL_CONTROL_HEIGHT - heading.height()) / 2.0;
    let layout = Layout::right_to_left(Align::Center);
    let room = UiBuilder::new().max_rect(heading.expand2(vec2(0.0, above))).layout(layout);
    let (copies, pastes) = at_line_end(&mut ui.new_child(room), |ui| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        let button = |ui: &mut Ui, name: &'static str, enabled| {
            let text = view.texts.get(name);
            let button = Button::new(&text).weight(ButtonWeight::Quiet).small().enabled(enabled);
            button.show(ui, view.theme).clicked()
        };
        let fits = !copied.is_empty() && filters.len() + copied.len() <= MAX_FILTERS;
        let copies = button(ui, key!("filters-copy"), !filters.is_empty());
        (copies, button(ui, key!("filters-paste"), fits))
    });
    if copies {
        ui.data_mut(|data| data.insert_temp(place, filters.clone()));
    }
    if pastes {
        filters.extend(copied.into_iter().map(|slot| pasted(slot, strip)));
    }
}

/// Returns the filter as it is in another strip, whose sidechain cannot be the strip itself.
fn pasted(mut slot: Slot, strip: StripId) -> Slot {
    if let Filter::Compressor { side_chain, .. } = &mut slot.filter {
        side_chain.take_if(|id| *id == strip);
    }
    slot
}
