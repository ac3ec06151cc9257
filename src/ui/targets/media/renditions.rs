//! The choice of a target's further renditions, which are sent on the same connection.

use egui::Ui;

use crate::media::Size;
use crate::studio::Target;
use crate::studio::targets::renditions::{RenditionChoice, fitted_size};
use crate::ui::style::theme::Type;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{label, named_switch};

/// The usual heights of further renditions, the largest first.
const HEIGHTS: [u32; 4] = [1080, 720, 480, 360];

/// Returns the renditions that the window offers beside a stream of this size. Others can be set in the
/// settings file and on the command line.
fn offered(stream: Size, chosen: &[RenditionChoice]) -> Vec<RenditionChoice> {
    let lower = stream.width.min(stream.height);
    let of = |height: u32| {
        // The heights are those of landscape videos, and the widths of portrait ones.
        let size = match stream.width >= stream.height {
            true => Size::new(Size::MAX_SIDE, height),
            false => Size::new(height, Size::MAX_SIDE),
        };
        RenditionChoice { size: fitted_size(stream, size), bitrate: None }
    };
    let usual: Vec<_> = HEIGHTS.into_iter().filter(|it| *it < lower).map(of).collect();
    let others: Vec<_> = chosen.iter().filter(|it| !usual.contains(it)).copied().collect();
    usual.into_iter().chain(others).collect()
}

/// Draws a switch for each further rendition, and returns the new choice.
pub(super) fn show(ui: &mut Ui, view: &View<'_>, target: &Target) -> Option<Vec<RenditionChoice>> {
    let (theme, texts) = (view.theme, view.texts);
    let quality = &view.snapshot.quality;
    let all = offered(quality.size, &target.renditions);
    if all.is_empty() {
        return None;
    }
    let (title, tip) = (texts.get("target-renditions"), texts.get("target-renditions-tip"));
    label(ui, &title, Type::Small, theme.secondary).on_hover_text(&*tip);
    let mut changed = None;
    for choice in all {
        let is_sent = target.renditions.contains(&choice);
        let size = format::size(choice.size_in(quality.size));
        let name = format!("{size} · {}", format::bitrate(choice.bitrate_in(quality).0));
        let is_full = target.renditions.len() >= RenditionChoice::MAX;
        ui.add_enabled_ui(is_sent || !is_full, |ui| {
            if named_switch(ui, theme, &name, "", Type::Body, is_sent) {
                let mut all = target.renditions.clone();
                all.retain(|it| *it != choice);
                all.extend((!is_sent).then_some(choice));
                changed = Some(all);
            }
        });
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_sizes_of_the_same_shape_are_offered_and_others_that_are_chosen() {
        let sizes = |width, height, chosen: &[&str]| {
            let chosen: Vec<_> = chosen.iter().map(|it| it.parse().unwrap()).collect();
            let all = offered(Size::new(width, height), &chosen);
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(sizes(1280, 720, &[]), ["852x480", "640x360"]);
        assert_eq!(sizes(1080, 1920, &[]), ["720x1280", "480x852", "360x640"]);
        assert_eq!(sizes(640, 480, &["320x240@300k", "480x360"]), ["480x360", "320x240@300000"]);
        assert!(sizes(480, 270, &[]).is_empty());
    }
}
