//! Filters of a source's picture: what each is set to ([`Filter`]) and the chain
//! that carries them out, once a source and tick however many items show it. Pictures are I420 in
//! the program's colours; a filter makes a new picture out of a pool and keeps it until what it was
//! made of changes. Thread: the compositor's.

mod alpha;
mod beauty;
mod blur;
mod boxes;
mod chain;
mod crop;
mod cube;
mod deinterlace;
mod delay;
mod denoise;
mod key;
mod lut;
mod material;
mod picture;
mod scale;
mod setting;
mod step;
mod tone;

pub use self::beauty::Area;
pub use self::chain::{Chain, Cover, Wanted};
pub use self::cube::{Cube, MOST_BYTES as MOST_CUBE_BYTES};
pub use self::deinterlace::{Deinterlacing, Field};
pub use self::lut::Table;
pub use self::material::{Asset, Material, Supply};
pub use self::picture::{Corner, Reading};
pub use self::scale::Kernel;
pub use self::setting::{Choice, Filter, MOST_FILTERS, Parameter, Slot, Unit};
pub use self::tone::Correction;
