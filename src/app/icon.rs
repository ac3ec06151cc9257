//! The icon of the window, and the name under which the desktop finds it.

use eframe::egui;

/// Returns the name of onair's desktop file and icon, without extension. A Flatpak installs them
/// under its own id.
pub fn app_id() -> String {
    let flatpak = std::env::var("FLATPAK_ID").ok().filter(|id| !id.is_empty());
    flatpak.unwrap_or_else(|| "onair".to_owned())
}

/// Draws the icon: a lit lamp.
pub fn lamp() -> egui::IconData {
    const ICON_SIDE_PIXELS: u32 = 64;
    let shape = |x: u32, y: u32| {
        let (dx, dy) = (x as f32 - 31.5, y as f32 - 31.5);
        let from_middle = dx.hypot(dy);
        let alpha = (32.0 - from_middle).clamp(0.0, 1.0);
        let lit = (15.0 - from_middle).clamp(0.0, 1.0);
        let ring = (1.5 - (from_middle - 22.0).abs()).clamp(0.0, 1.0) * 0.6;
        let mix = |dark: f32, red: f32| (dark + (red - dark) * lit.max(ring)) as u8;
        [mix(22.0, 255.0), mix(26.0, 65.0), mix(34.0, 85.0), (alpha * 255.0) as u8]
    };
    let rgba = (0..ICON_SIDE_PIXELS)
        .flat_map(|y| (0..ICON_SIDE_PIXELS).flat_map(move |x| shape(x, y)))
        .collect();
    egui::IconData { rgba, width: ICON_SIDE_PIXELS, height: ICON_SIDE_PIXELS }
}
