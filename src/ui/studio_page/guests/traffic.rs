//! The line below the cards: what the guests cost, and what they may. It is there while a guest is connected.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use egui::Ui;

use crate::studio::event::stats;
use crate::text::Texts;
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{paragraph, truncated};

/// The height of the line in the bar.
pub(super) const HEIGHT_POINTS: f32 = 18.0;

static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get));

/// Draws the text in one line, or in as many as it needs.
pub(super) fn show(ui: &mut Ui, view: &View<'_>, is_one_line: bool) {
    let Some(traffic) = view.snapshot.guest_traffic else { return };
    let text = words(view.texts, &traffic, view.snapshot.cpu, *CORES);
    let color = match traffic.budget.is_lowered {
        true => view.theme.warn,
        false => view.theme.secondary,
    };
    let shown = match is_one_line {
        true => truncated(ui, &text, Type::Small, color),
        false => paragraph(ui, &text, Type::Small, color),
    };
    shown.on_hover_text(&*view.texts.get("tip-guests-traffic"));
}

fn words(texts: &Texts, traffic: &stats::Guests, cpu: f32, cores: usize) -> String {
    let (height, fps) = traffic.budget.shape;
    let rate = |bits: u64| format::bitrate(u32::try_from(bits).unwrap_or(u32::MAX));
    let key = match traffic.budget.is_lowered {
        true => key!("guests-traffic-lowered"),
        false => key!("guests-traffic"),
    };
    let arguments = [
        ("rate", rate(traffic.received).into()),
        ("most", rate(u64::from(traffic.budget.bitrate)).into()),
        ("height", height.to_string().into()),
        ("fps", fps.to_string().into()),
        ("sent", rate(traffic.sent).into()),
        ("cpu", format!("{:.0}", f64::from(cpu) * 100.0).into()),
        ("all", (100 * cores).to_string().into()),
    ];
    texts.with(key, &arguments)
}

#[cfg(test)]
mod tests {
    use crate::server::guests::GuestBudget;
    use crate::text::Language;

    use super::*;

    #[test]
    fn the_line_tells_what_guests_send_may_send_and_whether_it_is_less_than_usual() {
        let budget =
            GuestBudget { count: 2, bitrate: 3_128_000, shape: (720, 30), is_lowered: false };
        let traffic = stats::Guests { budget, received: 2_100_000, sent: 5_000_000 };
        let texts = Texts::new(Language::English);
        let text = words(&texts, &traffic, 0.85, 2).replace('\u{a0}', " ");
        for part in ["2 100 kbps", "3 128 kbps", "720p", "5 000 kbps", "85 of 200 %"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("less"), "{text}");
        let budget = GuestBudget { shape: (360, 15), is_lowered: true, ..budget };
        let text = words(&texts, &stats::Guests { budget, ..traffic }, 1.9, 2);
        assert!(text.contains("360p") && text.contains("less"), "{text}");
    }
}
