//! The buttons that copy the filters of a strip and paste them into another strip.

use egui::{Align, Id, Layout, Rect, Ui, UiBuilder, vec2};

use crate::audio::AudioChoice;
use crate::mix::StripId;
use crate::mix::filter::{Filter, MAX_FILTERS, Slot};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, at_line_end};

/// A copied filter. The id of its sidechain can belong to another strip later.
#[derive(Clone, Debug)]
struct CopiedFilter {
    slot: Slot,
    /// The source of the sidechain.
    side_chain: Option<AudioChoice>,
}

/// Draws the buttons at the right end of the heading. Pasted filters follow those of the strip.
pub(super) fn buttons(
    ui: &mut Ui,
    view: &View<'_>,
    heading: Rect,
    strip: StripId,
    filters: &mut Vec<Slot>,
) {
    let place = Id::unique("copied-audio-filters");
    let copied: Vec<CopiedFilter> = ui.data(|data| data.get_temp(place)).unwrap_or_default();
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
        let copied: Vec<CopiedFilter> = filters.iter().map(|slot| copy(view, slot)).collect();
        ui.data_mut(|data| data.insert_temp(place, copied));
    }
    if pastes {
        filters.extend(copied.into_iter().map(|filter| pasted(view, filter, strip)));
    }
}

/// Returns the source of a strip.
fn source_of<'a>(view: &View<'a>, id: StripId) -> Option<&'a AudioChoice> {
    let found = view.snapshot.strips.iter().find(|strip| strip.audio.id == id);
    found.map(|strip| &strip.audio.choice)
}

fn copy(view: &View<'_>, slot: &Slot) -> CopiedFilter {
    let side_chain = slot.filter.side_chain().and_then(|id| source_of(view, id).cloned());
    CopiedFilter { slot: slot.clone(), side_chain }
}

/// Returns the filter as it is in another strip, whose sidechain cannot be the strip itself, or a
/// strip that has got the id of the sidechain after the filter was copied.
fn pasted(view: &View<'_>, copied: CopiedFilter, strip: StripId) -> Slot {
    let CopiedFilter { mut slot, side_chain: source } = copied;
    // A plugin has a process of its own in each strip.
    slot.filter = slot.filter.separate();
    if let Filter::Compressor { side_chain, .. } = &mut slot.filter {
        let is_same = |id| source.is_some() && source_of(view, id) == source.as_ref();
        *side_chain = side_chain.filter(|id| *id != strip && is_same(*id));
    }
    slot
}
