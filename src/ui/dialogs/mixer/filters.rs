//! The filters of a strip: their list in processing order, and the parameters of the selected one.

use egui::Ui;

use crate::media::NumericSettings;
use crate::mix::filter::{Filter, MAX_FILTERS, Parameter, Slot, Unit};
use crate::studio::snapshot::StripView;
use crate::ui::dialogs::mixer::row::{line, slider_line};
use crate::ui::dialogs::mixer::{clipboard, plugin};
use crate::ui::input::actions::key;
use crate::ui::studio_page::mixer::labels;
use crate::ui::studio_page::mixer::labels::MixerSelection;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::filter_list::{NumberDisplay, NumberStep, Pressed};
use crate::ui::widgets::{Select, filter_list, label, menu_item, section};

pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    strip: &StripView,
    filters: &mut Vec<Slot>,
    selection: &mut MixerSelection,
) {
    let heading = section(ui, view.theme, &view.texts.get("filters")).rect;
    clipboard::buttons(ui, view, heading, strip.audio.id, filters);
    let (count, selected) = (filters.len(), &mut selection.filter);
    if filters.is_empty() {
        label(ui, &view.texts.get("filters-none"), Type::Small, view.theme.secondary);
    }
    let mut moved = None;
    for (index, slot) in filters.iter_mut().enumerate() {
        let (name, chosen) = (name_of(view, &slot.filter), *selected == index);
        let top = ui.cursor().min;
        match filter_list::row(ui, view, (index, count), &name, &mut slot.enabled, chosen) {
            Some(Pressed::Name) if chosen => *selected = usize::MAX,
            Some(Pressed::Name) => *selected = index,
            Some(pressed) => moved = Some((index, pressed)),
            None => {}
        }
        if *selected == index {
            ui.push_id(("filter", index), |ui| numbers(ui, view, strip, &mut slot.filter));
        }
        if selection.added_filter.take_if(|it| *it == index).is_some() {
            filter_list::scroll_to_filter(ui, top);
        }
    }
    if let Some((index, pressed)) = moved {
        filter_list::change(filters, selected, index, pressed);
    }
    ui.add_space(gap::XS);
    filter_list::below(ui, |ui| add(ui, view, filters, selection));
}

/// Returns the name of a filter: that of its plugin, or of its kind.
fn name_of(view: &View<'_>, filter: &Filter) -> String {
    let plugin = filter.plugin().filter(|plugin| !plugin.plugin.is_none());
    let name = plugin.map(|plugin| plugin.plugin.short().to_owned());
    name.unwrap_or_else(|| view.texts.get(kind(filter)).to_string())
}

/// Returns the name of a filter's kind.
fn kind(filter: &Filter) -> &'static str {
    match filter {
        Filter::Gain { .. } => key!("filter-gain"),
        Filter::HighPass { .. } => key!("filter-high-pass"),
        Filter::LowPass { .. } => key!("filter-low-pass"),
        Filter::Denoise { .. } => key!("filter-denoise"),
        Filter::Gate { .. } => key!("filter-gate"),
        Filter::Expander { .. } => key!("filter-expander"),
        Filter::Compressor { .. } => key!("filter-compressor"),
        Filter::Limiter { .. } => key!("filter-limiter"),
        Filter::ThreeBand { .. } => key!("filter-three-band"),
        Filter::TenBand { .. } => key!("filter-ten-band"),
        Filter::Loudness { .. } => key!("filter-loudness"),
        Filter::Plugin(_) => key!("filter-plugin"),
    }
}

/// Returns the name of a filter's parameter.
fn number(parameter: &Parameter) -> &'static str {
    match parameter.name {
        "db" => key!("number-gain"),
        "hz" => key!("number-frequency"),
        "amount" => key!("number-amount"),
        "open_dbfs" => key!("number-open"),
        "close_dbfs" => key!("number-close"),
        "attack_ms" => key!("number-attack"),
        "hold_ms" => key!("number-hold"),
        "release_ms" => key!("number-release"),
        "threshold_dbfs" => key!("number-threshold"),
        "ratio" => key!("number-ratio"),
        "gain_db" => key!("number-output"),
        "low_db" => key!("number-low"),
        "middle_db" => key!("number-middle"),
        "high_db" => key!("number-high"),
        "target_lufs" => key!("number-target"),
        "most_db" => key!("number-most"),
        // The other bands of an equalizer have no name, because their frequency identifies them.
        _ => "",
    }
}

fn numbers(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, filter: &mut Filter) {
    let parameters = filter.parameters();
    for (parameter, value) in parameters.iter().zip(filter.values()) {
        let key = number(parameter);
        let name = if key.is_empty() {
            format!("{} Hz", parameter.name.trim_start_matches("hz_"))
        } else {
            view.texts.get(key).to_string()
        };
        let (bounds, display) = ((&parameter.range, parameter.rest), display(parameter.unit));
        slider_line(ui, view, (&name, &name), value, bounds, display);
    }
    if matches!(filter, Filter::Compressor { .. }) {
        side_chain(ui, view, strip, filter);
    }
    if let Filter::Plugin(its) = filter {
        plugin::show(ui, view, its);
    }
    ui.add_space(gap::XS);
}

/// Returns the display of a value with this unit.
pub(super) fn display(unit: Unit) -> NumberDisplay {
    use NumberStep::{Linear, Logarithmic, Whole};
    let (factor, decimals, unit, step) = match unit {
        Unit::Decibels => (1.0, 1, "\u{a0}dB", Linear),
        Unit::Dbfs => (1.0, 1, "\u{a0}dBFS", Whole),
        Unit::Lufs => (1.0, 1, "\u{a0}LUFS", Whole),
        Unit::Hertz => (1.0, 0, "\u{a0}Hz", Logarithmic),
        Unit::Milliseconds => (1.0, 1, "\u{a0}ms", Logarithmic),
        Unit::Ratio => (1.0, 1, ":1", Linear),
        Unit::Share => (100.0, 0, "\u{a0}%", Linear),
    };
    NumberDisplay { factor, decimals, unit, step }
}

/// Draws the choice of the strip whose level controls the filter.
fn side_chain(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, filter: &mut Filter) {
    let Filter::Compressor { side_chain, .. } = filter else { return };
    let name = view.texts.get("number-side-chain");
    line(ui, view, &name, |ui, view| {
        let theme = view.theme;
        let own = view.texts.get("side-chain-own");
        let of = |view: &View<'_>, id| {
            let found = view.snapshot.strips.iter().find(|strip| strip.audio.id == id);
            found.map_or_else(|| "–".to_owned(), |strip| labels::label_of(view, strip))
        };
        let chosen = side_chain.map_or_else(|| own.to_string(), |id| of(view, id));
        let width = ui.available_width();
        let select = Select::new(&name, &chosen, width);
        select.show(ui, theme, |ui| {
            if menu_item(ui, theme, &own, "", side_chain.is_none(), true) {
                *side_chain = None;
            }
            let others = view.snapshot.strips.iter().map(|other| other.audio.id);
            for id in others.filter(|id| *id != strip.audio.id) {
                if menu_item(ui, theme, &of(view, id), "", *side_chain == Some(id), true) {
                    *side_chain = Some(id);
                }
            }
        });
    });
}

fn add(ui: &mut Ui, view: &View<'_>, filters: &mut Vec<Slot>, selection: &mut MixerSelection) {
    let (theme, name) = (view.theme, view.texts.get("filter-add"));
    let select =
        Select { enabled: filters.len() < MAX_FILTERS, ..Select::new(&name, &name, 220.0) };
    select.show(ui, theme, |ui| {
        for filter in Filter::ALL_KINDS.into_iter().chain(Filter::of_kind(Filter::PLUGIN)) {
            if menu_item(ui, theme, &view.texts.get(kind(&filter)), "", false, true) {
                selection.filter = filters.len();
                selection.added_filter = Some(filters.len());
                filters.push(Slot { enabled: true, filter });
            }
        }
    });
}
