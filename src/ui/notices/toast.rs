//! A short message below the health bar that confirms something, such as a saved replay. Warnings
//! may keep the health bar, and the tray is closed, so that the user would not see the confirmation
//! otherwise.

use egui::{Align2, Area, CornerRadius, Frame, Id, Margin, Order, Role, WidgetInfo, vec2};

use crate::studio::{Level, Notice};
use crate::ui::notices::remedy::words;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::paragraph;

/// Time for which a message is shown, in seconds.
const SHOWN_SECONDS: f64 = 5.0;
/// Maximum width of a message in points.
const MAX_WIDTH_POINTS: f32 = 420.0;

/// The messages so far.
#[derive(Debug, Default)]
pub struct Toast {
    /// The number of the newest notice that was known; `None` before the first frame.
    known: Option<u64>,
    /// The number of the shown notice, and the time at which it appeared.
    shown: Option<(u64, f64)>,
}

impl Toast {
    /// Draws the newest confirmation for a few seconds. Notices from before the first frame are not
    /// shown. Clicks go through to what is below.
    pub fn show(&mut self, ctx: &egui::Context, view: &View<'_>, below: Option<f32>) {
        let notices = &view.snapshot.notices;
        let now = ctx.input(|input| input.time);
        let newest = notices.iter().map(|notice| notice.id).max().unwrap_or_default();
        let known = self.known.replace(self.known.unwrap_or(newest).max(newest)).unwrap_or(newest);
        let confirms = |notice: &&Notice| notice.level == Level::Info && notice.id > known;
        if let Some(notice) = notices.iter().rev().find(confirms) {
            self.shown = Some((notice.id, now));
        }
        self.shown = self.shown.filter(|(_, since)| now - since < SHOWN_SECONDS);
        let Some((id, since)) = self.shown else { return };
        let Some(notice) = notices.iter().find(|notice| notice.id == id) else { return };
        let (title, _) = words(view.texts, notice);
        let window = ctx.content_rect();
        let top = below.unwrap_or(window.top()) + gap::S;
        Area::new(Id::unique("toast"))
            .order(Order::Foreground)
            .interactable(false)
            .anchor(Align2::RIGHT_TOP, vec2(-gap::M, top - window.top()))
            .show(ctx, |ui| {
                let frame = Frame::popup(&ctx.global_style())
                    .fill(view.theme.raised)
                    .corner_radius(CornerRadius::same(6))
                    .inner_margin(Margin::symmetric(14, 10));
                let drawn = frame.show(ui, |ui| {
                    ui.set_max_width(MAX_WIDTH_POINTS.min(window.width() - 2.0 * gap::L));
                    paragraph(ui, &title, Type::Body, view.theme.text);
                });
                drawn.response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &title));
            });
        ctx.request_repaint_after(std::time::Duration::from_secs_f64(
            (SHOWN_SECONDS - (now - since)).max(0.05),
        ));
    }
}
