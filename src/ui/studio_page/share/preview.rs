//! What the camera of a guest in the lobby shows. Only the streamer sees it.

use std::fmt;
use std::sync::Arc;

use egui::{
    ColorImage, CornerRadius, Image, Role, TextureHandle, TextureOptions, Ui, WidgetInfo, vec2,
};

use crate::server::ThumbnailImage;

/// The width of the image.
const WIDTH_POINTS: f32 = 160.0;

/// The texture of the last image.
#[derive(Default)]
pub(super) struct PreviewTexture {
    shown: Option<(Arc<ThumbnailImage>, TextureHandle)>,
}

impl fmt::Debug for PreviewTexture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreviewTexture")
    }
}

impl PreviewTexture {
    /// Draws an image with this accessible name.
    pub(super) fn show(&mut self, ui: &mut Ui, image: &Arc<ThumbnailImage>, name: &str) {
        let size = [image.size.width as usize, image.size.height as usize];
        if size[0] * size[1] * 3 != image.rgb.len() || image.rgb.is_empty() {
            return;
        }
        if self.shown.as_ref().is_none_or(|(shown, _)| !Arc::ptr_eq(shown, image)) {
            let pixels = ColorImage::from_rgb(size, &image.rgb);
            let texture = ui.ctx().load_texture("guest", pixels, TextureOptions::LINEAR);
            self.shown = Some((Arc::clone(image), texture));
        }
        let Some((_, texture)) = &self.shown else { return };
        let height = WIDTH_POINTS * size[1] as f32 / size[0] as f32;
        let shown = Image::new((texture.id(), vec2(WIDTH_POINTS, height)));
        let response = ui.add(shown.corner_radius(CornerRadius::same(4)));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    }
}
