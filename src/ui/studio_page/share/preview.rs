//! What the camera of a guest in the lobby shows. Only the streamer sees it.

use std::fmt;
use std::sync::Arc;

use egui::{
    ColorImage, CornerRadius, Image, Rect, Role, Sense, TextureHandle, TextureOptions, Ui,
    WidgetInfo, vec2,
};

use crate::server::ThumbnailImage;
use crate::ui::video::fitted;

/// The width of the image.
const WIDTH_POINTS: f32 = 160.0;

/// The texture of the last image.
#[derive(Default)]
pub(in crate::ui::studio_page) struct PreviewTexture {
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
        let Some((texture, shape)) = self.follow(ui, image) else { return };
        let shown = Image::new((texture.id(), vec2(WIDTH_POINTS, WIDTH_POINTS / shape)));
        let response = ui.add(shown.corner_radius(CornerRadius::same(4)));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    }

    /// Draws an image with this accessible name as large as it fits in `place`.
    pub(in crate::ui::studio_page) fn fit(
        &mut self,
        ui: &Ui,
        image: &Arc<ThumbnailImage>,
        name: &str,
        place: Rect,
    ) {
        let Some((texture, shape)) = self.follow(ui, image) else { return };
        let at = fitted(place, shape, ui.pixels_per_point());
        let response = ui.interact(at, ui.scope_id().with("picture"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        let shown = Image::new((texture.id(), at.size()));
        shown.corner_radius(CornerRadius::same(4)).paint_at(ui, at);
    }

    /// Keeps the texture of an image. Returns it with its aspect ratio, if the image is whole.
    fn follow(&mut self, ui: &Ui, image: &Arc<ThumbnailImage>) -> Option<(&TextureHandle, f32)> {
        let size = [image.size.width as usize, image.size.height as usize];
        if size[0] * size[1] * 3 != image.rgb.len() || image.rgb.is_empty() {
            return None;
        }
        if self.shown.as_ref().is_none_or(|(shown, _)| !Arc::ptr_eq(shown, image)) {
            let pixels = ColorImage::from_rgb(size, &image.rgb);
            let texture = ui.ctx().load_texture("guest", pixels, TextureOptions::LINEAR);
            self.shown = Some((Arc::clone(image), texture));
        }
        let (_, texture) = self.shown.as_ref()?;
        Some((texture, size[0] as f32 / size[1] as f32))
    }
}
