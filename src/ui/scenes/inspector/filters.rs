//! The filters of a source: their list in processing order, and the settings of the expanded one.

use std::path::Path;

use egui::{ScrollArea, Ui};

use crate::compose::filter::{Filter, MAX_FILTERS, Parameter, Slot, Unit};
use crate::compose::scene::SourceId;
use crate::media::NumericSettings;
use crate::studio::{Command, Edit};
use crate::text::Problem;
use crate::ui::input::actions::key;
use crate::ui::scenes::canvas::color_pick::ColorPick;
use crate::ui::scenes::draft::Draft;
use crate::ui::scenes::source::color_button::opaque_color_button;
use crate::ui::scenes::source::fields::{caption, failure, hint, line};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::file_request::FilterFile;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::filter_list::{NumberDisplay, NumberStep, Pressed};
use crate::ui::widgets::{
    Button, ButtonWeight, Select, filter_list, focus_first, label, log_slider, menu_item,
    number_fault, paragraph, slider,
};

/// Width of the field after a slider, in points.
const FIELD_WIDTH_POINTS: f32 = 80.0;

/// Draws the list of a source's filters, with the settings of the expanded one. If `enters` is true,
/// the expanded filter gets the keyboard focus, or *Add a filter* if no filter is expanded.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    source: SourceId,
    enters: bool,
) {
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let before = collection.filters(source);
    let mut slots = before.to_vec();
    caption(ui, view, &view.texts.get("inspector-filters"));
    list(ui, view, source, &mut slots, draft, enters);
    if slots != before {
        view.send(Command::Edit(Edit::SetFilters(source, slots)));
    }
}

/// Returns the reason why a filter cannot use its file.
fn file_problem<'a>(view: &View<'a>, source: SourceId, filter: &Filter) -> Option<&'a Problem> {
    let (_, path) = filter.file()?;
    view.snapshot.scenes.source(source)?.filter_problem(path)
}

fn list(
    ui: &mut Ui,
    view: &mut View<'_>,
    source: SourceId,
    slots: &mut Vec<Slot>,
    draft: &mut Draft,
    enters: bool,
) {
    let (theme, count) = (view.theme, slots.len());
    let opened = &mut draft.filter;
    let enters_end = enters && *opened >= count;
    if count > 1 {
        paragraph(ui, &view.texts.get("video-filters-hint"), Type::Small, theme.secondary);
    }
    let mut moved = None;
    for (index, slot) in slots.iter_mut().enumerate() {
        let (name, is_open) = (view.texts.get(kind(&slot.filter)), *opened == index);
        let top = ui.cursor().min;
        let pressed = focus_first(ui, enters && is_open, None, |ui| {
            filter_list::row(ui, view, (index, count), &name, &mut slot.enabled, is_open)
        });
        match pressed {
            Some(Pressed::Name) => *opened = if is_open { usize::MAX } else { index },
            Some(pressed) => moved = Some((index, pressed)),
            None => {}
        }
        if slot.enabled && file_problem(view, source, &slot.filter).is_some() {
            let text = view.texts.get("video-filter-unusable");
            paragraph(ui, &text, Type::Small, theme.warn);
        }
        if view.snapshot.scenes.skips_filters && slot.enabled && slot.filter.is_costly() {
            let text = view.texts.get("video-filter-skipped");
            paragraph(ui, &text, Type::Small, theme.warn);
        }
        if is_open {
            ui.push_id(("filter", index), |ui| {
                file(ui, view, (source, index), slot);
                one(ui, view, (source, index), &mut slot.filter, &mut draft.pick);
            });
            ui.add_space(gap::S);
        }
        let is_added = draft.added_filter.take_if(|it| *it == (source, index)).is_some();
        // The inspector scrolls to the section, and so to the first filter.
        if is_added || (enters && is_open && index > 0) {
            filter_list::scroll_to_filter(ui, top);
        }
    }
    if let Some((index, pressed)) = moved {
        draft.pick = None;
        filter_list::change(slots, opened, index, pressed);
    }
    add_list(ui, view, source, slots, draft, enters_end);
}

/// Draws the list of filters to add, which gets the keyboard focus if `enters`.
fn add_list(
    ui: &mut Ui,
    view: &View<'_>,
    source: SourceId,
    slots: &mut Vec<Slot>,
    draft: &mut Draft,
    enters: bool,
) {
    let (theme, name) = (view.theme, view.texts.get("filter-add"));
    let select = Select {
        enabled: slots.len() < MAX_FILTERS,
        ..Select::new(&name, &name, ui.available_width())
    };
    let lines = |ui: &mut Ui| {
        ScrollArea::vertical().id_salt("kinds").max_height(360.0).show(ui, |ui| {
            for filter in Filter::kinds() {
                if menu_item(ui, theme, &view.texts.get(kind(&filter)), "", false, true) {
                    draft.filter = slots.len();
                    draft.added_filter = Some((source, slots.len()));
                    slots.push(Slot { enabled: true, filter });
                }
            }
        });
    };
    filter_list::below(ui, |ui| {
        focus_first(ui, enters, None, |ui| select.show(ui, theme, lines));
    });
}

/// Returns the name of a filter's kind.
fn kind(filter: &Filter) -> &'static str {
    match filter {
        Filter::Crop { .. } => key!("video-filter-crop"),
        Filter::Color(_) => key!("video-filter-color"),
        Filter::ChromaKey { .. } => key!("video-filter-chroma-key"),
        Filter::ColorKey { .. } => key!("video-filter-color-key"),
        Filter::LumaKey { .. } => key!("video-filter-luma-key"),
        Filter::Scale { .. } => key!("video-filter-scale"),
        Filter::Sharpen { .. } => key!("video-filter-sharpen"),
        Filter::Blur { .. } => key!("video-filter-blur"),
        Filter::Denoise { .. } => key!("video-filter-denoise"),
        Filter::Beauty { .. } => key!("video-filter-beauty"),
        Filter::Deinterlace { .. } => key!("video-filter-deinterlace"),
        Filter::Lut { .. } => key!("video-filter-lut"),
        Filter::Mask { .. } => key!("video-filter-mask"),
        Filter::Watermark { .. } => key!("video-filter-watermark"),
        Filter::Delay { .. } => key!("video-filter-delay"),
        Filter::Background { .. } => key!("video-filter-background"),
    }
}

/// Draws the file of a filter, its problem, and a button to choose another.
fn file(ui: &mut Ui, view: &mut View<'_>, (source, index): (SourceId, usize), slot: &Slot) {
    let Some((asset, path)) = slot.filter.file() else { return };
    let name = view.texts.get("video-filter-file").to_string();
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    line(ui, view, &name, |ui, view| {
        let text = view.texts.get("video-filter-file-choose");
        if Button::new(&text).small().show(ui, view.theme).clicked() {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let folder = folder.map(Path::to_owned);
            let (kind, was) = (slot.filter.kind(), path.to_owned());
            let of = FilterFile { source, index, kind, was };
            view.request(WindowRequest::PickFilterFile(asset, of, folder));
        }
        let none = view.texts.get("video-filter-file-none");
        let shown = if file.is_empty() { &*none } else { &*file };
        let shown = label(ui, shown, Type::Body, view.theme.text);
        if !file.is_empty() {
            shown.on_hover_text(path.display().to_string());
        }
    });
    let Some(reason) = file_problem(view, source, &slot.filter).filter(|_| slot.enabled) else {
        return;
    };
    let key = if slot.filter.hides_by_file() {
        key!("video-filter-unusable-mask")
    } else {
        key!("video-filter-unusable-file")
    };
    let reason = view.texts.say(reason);
    let words = view.texts.with(key, &[("reason", reason.into())]);
    failure(ui, view, &words);
    ui.add_space(gap::S);
}

/// Draws the settings of a filter, except its file.
fn one(
    ui: &mut Ui,
    view: &mut View<'_>,
    of: (SourceId, usize),
    filter: &mut Filter,
    pick: &mut Option<ColorPick>,
) {
    if let Some(color) = filter.color() {
        key_color(ui, view, color);
        if !of.0.is_composed() {
            pick_button(ui, view, of, pick);
        }
    }
    choose(ui, view, filter);
    let parameters = filter.parameters();
    for (parameter, value) in parameters.iter().zip(filter.values()) {
        let name = view.texts.get(number(parameter)).to_string();
        let (display, mut fault) = (display(parameter.unit), None);
        line(ui, view, &name, |ui, view| {
            let (range, rest) = (parameter.range.clone(), parameter.rest);
            let width = ui.available_width() - FIELD_WIDTH_POINTS - gap::S;
            let is_whole = parameter.unit == Unit::Pixels;
            if display.step == NumberStep::Logarithmic {
                log_slider(ui, view.theme, value, range, rest, &name, width);
            } else if !is_whole {
                slider(ui, view.theme, value, range, rest, &name, width);
            }
            let (range, width) = (&parameter.range, FIELD_WIDTH_POINTS);
            fault = filter_list::number(ui, view.theme, value, range, display, &name, width);
            if is_whole {
                let text = view.texts.get("video-number-zero");
                label(ui, &text, Type::Small, view.theme.secondary);
            }
        });
        number_fault(ui, view, fault, display.unit);
    }
}

/// Draws the choices of a filter.
fn choose(ui: &mut Ui, view: &mut View<'_>, filter: &mut Filter) {
    for choice in filter.choices() {
        let name = view.texts.get(choice_name(choice.name)).to_string();
        line(ui, view, &name, |ui, view| {
            let texts = view.texts;
            let chosen = texts.get(option_name(choice.chosen));
            let select = Select::new(&name, &chosen, ui.available_width());
            select.show(ui, view.theme, |ui| {
                for option in &choice.options {
                    let text = texts.get(option_name(option));
                    let is_chosen = *option == choice.chosen;
                    if menu_item(ui, view.theme, &text, "", is_chosen, true) {
                        filter.choose(choice.name, option);
                    }
                }
            });
        });
    }
}

fn choice_name(name: &str) -> &'static str {
    match name {
        "kernel" => key!("video-choice-kernel"),
        "area" => key!("video-choice-area"),
        "field" => key!("video-choice-field"),
        "reading" => key!("video-choice-reading"),
        "corner" => key!("video-choice-corner"),
        "background" => key!("video-choice-background"),
        _ => key!("video-choice-mode"),
    }
}

fn option_name(option: &str) -> &'static str {
    match option {
        "nearest" => key!("video-option-nearest"),
        "bilinear" => key!("video-option-bilinear"),
        "bicubic" => key!("video-option-bicubic"),
        "lanczos" => key!("video-option-lanczos"),
        "area" => key!("video-option-area"),
        "skin" => key!("video-option-skin"),
        "everything" => key!("video-option-everything"),
        "linear" => key!("video-option-linear"),
        "blend" => key!("video-option-blend"),
        "top" => key!("video-option-top"),
        "bottom" => key!("video-option-bottom"),
        "alpha" => key!("video-option-alpha"),
        "luma" => key!("video-option-luma"),
        "alpha-inverted" => key!("video-option-alpha-inverted"),
        "luma-inverted" => key!("video-option-luma-inverted"),
        "top-left" => key!("video-option-top-left"),
        "top-right" => key!("video-option-top-right"),
        "bottom-left" => key!("video-option-bottom-left"),
        "bottom-right" => key!("video-option-bottom-right"),
        "middle" => key!("video-option-middle"),
        "transparent" => key!("video-option-transparent"),
        "blur" => key!("video-option-blur"),
        _ => key!("video-option-adaptive"),
    }
}

/// Draws the choice of the key color: the usual colors, or any other.
fn key_color(ui: &mut Ui, view: &mut View<'_>, color: &mut [u8; 3]) {
    let name = view.texts.get("video-key-color").to_string();
    line(ui, view, &name, |ui, view| {
        for (key, preset) in [
            (key!("video-key-green"), [0, 255, 0]),
            (key!("video-key-blue"), [0, 0, 255]),
            (key!("video-key-magenta"), [255, 0, 255]),
        ] {
            let text = view.texts.get(key);
            let button =
                Button::new(&text).selected(*color == preset).weight(ButtonWeight::Quiet).small();
            if button.show(ui, view.theme).clicked() {
                *color = preset;
            }
        }
        opaque_color_button(ui, view, &name, color);
    });
}

/// Draws the button that picks the key color from the frame, or ends the picking.
fn pick_button(
    ui: &mut Ui,
    view: &mut View<'_>,
    of: (SourceId, usize),
    pick: &mut Option<ColorPick>,
) {
    let ended = pick.take_if(|it| it.is_of(of) && it.ended).is_some();
    let is_picking = pick.as_ref().is_some_and(|it| it.is_of(of));
    let text = view.texts.get("video-key-pick");
    let button = Button::new(&text).icon(Icon::Eyedropper).small().selected(is_picking);
    let button = button.show(ui, view.theme);
    if ended {
        button.request_focus();
    }
    if button.clicked() {
        *pick = (!is_picking).then(|| ColorPick::new(ui.ctx(), view.snapshot, of));
        if !is_picking {
            view.request(WindowRequest::ShowProgram);
        }
    }
    // On a small canvas, the same hint is cut off.
    if is_picking {
        hint(ui, view, &view.texts.get("video-key-pick-hint"));
    }
}

/// Returns the name of a filter's parameter.
fn number(parameter: &Parameter) -> &'static str {
    match parameter.name {
        "left" => key!("video-number-left"),
        "top" => key!("video-number-top"),
        "right" => key!("video-number-right"),
        "bottom" => key!("video-number-bottom"),
        "gain" => key!("video-number-gain"),
        "brightness" => key!("video-number-brightness"),
        "contrast" => key!("video-number-contrast"),
        "gamma" => key!("video-number-gamma"),
        "saturation" => key!("video-number-saturation"),
        "hue_degrees" => key!("video-number-hue"),
        "similarity" => key!("video-number-similarity"),
        "smoothness" => key!("video-number-smoothness"),
        "spill" => key!("video-number-spill"),
        "protect" => key!("video-number-protect"),
        "low" => key!("video-number-low"),
        "low_smooth" => key!("video-number-low-smooth"),
        "high" => key!("video-number-high"),
        "high_smooth" => key!("video-number-high-smooth"),
        "width" => key!("video-number-width"),
        "height" => key!("video-number-height"),
        "amount" => key!("video-number-amount"),
        "sigma" => key!("video-number-sigma"),
        "spatial" => key!("video-number-spatial"),
        "temporal" => key!("video-number-temporal"),
        "smooth" => key!("video-number-smooth"),
        "whiten" => key!("video-number-whiten"),
        "ms" => key!("video-number-delay"),
        "margin" => key!("video-number-margin"),
        _ => key!("video-number-opacity"),
    }
}

/// Returns the display of a value with this unit.
fn display(unit: Unit) -> NumberDisplay {
    use NumberStep::{Linear, Logarithmic, Smallest};
    let (factor, decimals, unit, step) = match unit {
        Unit::Share => (100.0, 0, "\u{a0}%", Linear),
        Unit::Factor => (1.0, 2, "", Logarithmic),
        Unit::Degrees => (1.0, 0, "°", Linear),
        Unit::Pixels => (1.0, 0, " px", Smallest),
        Unit::Radius => (1.0, 1, "\u{a0}px", Logarithmic),
        Unit::Milliseconds => (1.0, 0, "\u{a0}ms", Linear),
    };
    NumberDisplay { factor, decimals, unit, step }
}
