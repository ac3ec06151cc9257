//! A transition that the operator moves by hand, with the T-bar of studio mode. The program changes
//! only when the bar reaches the other end; until then, the way back is open.

use std::sync::Arc;

use crate::base::Pooled;
use crate::base::WorkerPool;
use crate::compose::draw::canvas::{Canvas, LayerRenderer};
use crate::compose::scene::Plan;
use crate::compose::transition::{Kind, Mixer};
use crate::media::Planes;

/// The state of the T-bar.
#[derive(Clone, Debug)]
pub struct ManualTransition {
    /// The scene at the other end.
    pub plan: Arc<Plan>,
    pub kind: Kind,
    /// The grayscale image of a wipe.
    image: Option<Arc<Planes>>,
    /// The position of the bar, from 0 to 1.
    pub position: f32,
}

impl ManualTransition {
    /// Creates a transition at this position. A cut and a stinger cannot stop halfway, so the bar
    /// fades instead.
    pub fn new(plan: Arc<Plan>, kind: Kind, image: Option<Arc<Planes>>, position: f32) -> Self {
        let kind = match kind {
            Kind::Cut | Kind::Stinger(_) => Kind::Fade,
            kind => kind,
        };
        let position = if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 };
        Self { plan, kind, image, position }
    }
}

/// The T-bar with the last frame of its scene.
pub(in crate::compose) struct TBar {
    pub bar: ManualTransition,
    pub canvas: Canvas,
}

impl TBar {
    /// Mixes the program with the scene at the other end.
    pub fn mix(
        &self,
        mixer: &mut Mixer,
        stage: &mut LayerRenderer,
        frames: (&Planes, &Planes),
        workers: &WorkerPool,
    ) -> Arc<Pooled<Planes>> {
        let ManualTransition { kind, image, position, .. } = &self.bar;
        let mut mixed = stage.take();
        mixer.mix(kind, image.as_ref(), *position, frames, &mut mixed, workers);
        mixed.share()
    }
}
