//! A QR code of an address, for the camera of a phone.

use egui::{Color32, CornerRadius, Mesh, Rect, Role, Sense, Shape, Ui, WidgetInfo, pos2, vec2};
use qrcode::{Color, EcLevel, QrCode};

/// The light margin that readers need around a code, in modules (ISO/IEC 18004, 9.1).
const QUIET_ZONE_MODULES: usize = 4;

/// The QR code of the last address.
#[derive(Debug, Default)]
pub(in crate::ui::studio_page) struct AddressCode {
    address: String,
    width: usize,
    /// The dark modules of each row, as ranges.
    dark: Vec<(usize, std::ops::Range<usize>)>,
}

impl AddressCode {
    /// Computes the code of an address. An address that is too long has no code.
    fn follow(&mut self, address: &str) {
        if self.address == address {
            return;
        }
        *self = Self { address: address.to_owned(), ..Self::default() };
        let Ok(code) = QrCode::with_error_correction_level(address, EcLevel::M) else { return };
        self.width = code.width();
        for (row, colors) in code.to_colors().chunks(code.width()).enumerate() {
            let mut from = 0;
            for run in colors.chunk_by(|a, b| a == b) {
                if run.first() == Some(&Color::Dark) {
                    self.dark.push((row, from..from + run.len()));
                }
                from += run.len();
            }
        }
    }

    /// Draws the code of an address in a square with sides of at most `side` points. The code is
    /// dark on white in every theme, because some readers do not find inverted codes.
    pub(in crate::ui::studio_page) fn show(
        &mut self,
        ui: &mut Ui,
        address: &str,
        name: &str,
        side: f32,
    ) {
        self.follow(address);
        if self.width == 0 {
            return;
        }
        let modules = (self.width + 2 * QUIET_ZONE_MODULES) as f32;
        let scale = ui.pixels_per_point();
        // Modules of whole pixels stay sharp.
        let module = ((side * scale / modules).floor() / scale).max(1.0 / scale);
        let (rect, response) =
            ui.allocate_exact_size(vec2(module * modules, module * modules), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        let painter = ui.painter();
        painter.rect_filled(rect, CornerRadius::same(4), Color32::WHITE);
        let pixel = |at: f32| (at * scale).round() / scale;
        let corner = pos2(pixel(rect.left()), pixel(rect.top()));
        let mut mesh = Mesh::default();
        for (row, columns) in &self.dark {
            let at = |column: usize, row: usize| {
                corner
                    + vec2((column + QUIET_ZONE_MODULES) as f32, (row + QUIET_ZONE_MODULES) as f32)
                        * module
            };
            let run = Rect::from_min_max(at(columns.start, *row), at(columns.end, row + 1));
            mesh.add_colored_rect(run, Color32::BLACK);
        }
        painter.add(Shape::mesh(mesh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_too_long_an_address_has_none() {
        let mut code = AddressCode::default();
        code.follow("http://192.0.2.1:8088/watch/live/onair");
        assert_eq!(code.width % 4, 1, "17 and 4 modules for each version");
        let last = code.width;
        for run in [(0, 0..7), (0, last - 7..last), (last - 1, 0..7)] {
            assert!(code.dark.contains(&run), "{run:?}");
        }
        code.follow(&"x".repeat(10_000));
        assert_eq!((code.width, code.dark.len()), (0, 0));
    }
}
