//! Video filters of a source: the settings of each filter ([`Filter`]), and the chain that applies
//! them once per source and tick, however many items show the source. Frames are I420 in the
//! program's color space. A filter takes a new frame from a pool, and keeps it until its input
//! changes. The filters run on the compositor's thread.

mod alpha;
mod assets;
mod background;
mod blur;
mod chain;
mod color;
mod crop;
mod deinterlace;
mod delay;
mod denoise;
mod overlay;
mod scale;
mod settings;
mod step;

pub(in crate::compose) use crate::compose::filter::alpha::full_range;
pub use crate::compose::filter::assets::{Asset, AssetSupply, FilterAssets};
pub use crate::compose::filter::background::BackgroundMode;
pub use crate::compose::filter::blur::beauty::Area;
pub use crate::compose::filter::chain::{Chain, Cover, WantedFilter};
pub use crate::compose::filter::color::correction::Correction;
pub use crate::compose::filter::color::cube::{Cube, MAX_BYTES as MAX_CUBE_BYTES};
pub(in crate::compose) use crate::compose::filter::color::key::luma_chroma;
pub use crate::compose::filter::color::lut::Table;
pub use crate::compose::filter::deinterlace::{Deinterlacing, Field};
pub use crate::compose::filter::overlay::{Corner, FrameWatermarks, Reading, WatermarkImage};
pub use crate::compose::filter::scale::Kernel;
pub use crate::compose::filter::settings::{
    Choice, Filter, MAX_FILTERS, Parameter, Slot, Unit, filtered_size,
};
