//! How numbers become colours: matrix and range, with the code points of ITU-T H.273.

/// The matrix between RGB and YCbCr.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Matrix {
    /// BT.601 (standard definition, most webcams).
    Bt601,
    /// BT.709 (high definition, the program).
    #[default]
    Bt709,
}

/// Which part of 0…255 is used.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Range {
    /// 16…235 for luma, 16…240 for chroma.
    #[default]
    Limited,
    /// 0…255 (JPEG).
    Full,
}

/// The colour description of a picture.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Color {
    /// RGB ↔ YCbCr.
    pub matrix: Matrix,
    /// Limited or full.
    pub range: Range,
}

impl Color {
    /// What goes out: BT.709, limited.
    pub const PROGRAM: Self = Self { matrix: Matrix::Bt709, range: Range::Limited };
    /// What a JPEG holds: BT.601, full.
    pub const JPEG: Self = Self { matrix: Matrix::Bt601, range: Range::Full };
    /// What an uncompressed webcam delivers unless it says otherwise: BT.601, limited.
    pub const WEBCAM: Self = Self { matrix: Matrix::Bt601, range: Range::Limited };
}
