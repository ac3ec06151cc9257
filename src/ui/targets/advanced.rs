//! The advanced fields of a target, which are rarely needed: its name, its route to the server, and
//! its minimum bitrate.

use egui::{Id, Ui};

use crate::media::BitsPerSecond;
use crate::studio::{Adapt, Command, Target};
use crate::text::Problem;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::Draft;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Field, expander, label, paragraph, whole_slider};

/// The left end of the slider for the minimum bitrate, in kbit/s. At this position, the target uses
/// the common minimum of all targets.
const MIN_SLIDER_KBPS: f32 = 100.0;
/// The right end of the slider, in kbit/s.
const MAX_SLIDER_KBPS: f32 = 6_000.0;

/// Draws the button that expands the advanced fields, and the fields if they are expanded.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    target: &Target,
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("advanced");
    expander(ui, theme, &name, &mut draft.advanced);
    if !draft.advanced {
        return;
    }
    let more = draft.more(target);
    let mut changed = false;
    let [ports, proxy, bind] = more.route().faults();
    let fields: [(&mut String, &'static str, &'static str, Option<Problem>); 4] = [
        (&mut more.name, key!("target-name"), key!("target-name-hint"), None),
        (&mut more.ports, key!("target-ports"), key!("target-ports-hint"), ports),
        (&mut more.proxy, key!("target-proxy"), key!("target-proxy-hint"), proxy),
        (&mut more.bind, key!("target-bind"), key!("target-bind-hint"), bind),
    ];
    for (text, name, hint, fault) in fields {
        let title = texts.get(name);
        label(ui, &title, Type::Small, theme.secondary);
        let field = Field {
            name: &title,
            hint: &texts.get(hint),
            wrong: fault.is_some(),
            limit: 512,
            width,
            ..Field::new(Id::unique(name), text)
        }
        .show(ui, theme);
        changed |= field.response.changed();
        if let Some(why) = fault {
            paragraph(ui, &texts.say(&why), Type::Small, theme.warn);
        }
    }
    if changed {
        draft.changed(target).into_iter().for_each(|command| view.send(command));
    }
    if view.snapshot.quality.adapt != Adapt::Off {
        floor(ui, view, draft, target, width);
    }
    ui.add_space(gap::XS);
}

fn floor(ui: &mut Ui, view: &mut View<'_>, draft: &Draft, target: &Target, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("min-bitrate");
    let minimum = match target.least_bitrate {
        Some(bitrate) => format::bitrate(bitrate.0),
        None => texts.get("as-all-targets").to_string(),
    };
    let now = texts.with("min-bitrate-now", &[("bitrate", minimum.into())]);
    label(ui, &now, Type::Small, theme.secondary);
    let mut kbps =
        target.least_bitrate.map_or(MIN_SLIDER_KBPS, |bitrate| bitrate.0 as f32 / 1_000.0);
    let (range, rest) = ((MIN_SLIDER_KBPS..=MAX_SLIDER_KBPS, 50.0), MIN_SLIDER_KBPS);
    if whole_slider(ui, theme, &mut kbps, range, rest, &name, width).changed() {
        let least_bitrate = (kbps > MIN_SLIDER_KBPS).then_some(BitsPerSecond(kbps as u32 * 1_000));
        view.send(Command::PutTarget(Target { least_bitrate, ..draft.put(target) }));
    }
}
