//! Settings of video and audio filters: an on/off state, and numeric parameters with ranges.

use std::ops::RangeInclusive;

/// A filter with its on/off state.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct FilterSlot<F> {
    /// True if the filter is on. If false, frames or audio pass unchanged.
    pub enabled: bool,
    pub filter: F,
}

/// The unit of a numeric parameter.
pub trait ParameterUnit: Copy {
    /// Returns the unit of the value in settings, for messages; empty means none.
    fn symbol(self) -> &'static str;
}

/// A numeric parameter of a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterParameter<U> {
    /// The name in settings.
    pub name: &'static str,
    pub unit: U,
    pub range: RangeInclusive<f32>,
    /// Default value of the parameter.
    pub rest: f32,
}

/// A filter with numeric parameters.
pub trait NumericSettings: Sized {
    type Unit: ParameterUnit;

    /// Returns the default filter of this kind.
    fn default_of_kind(&self) -> Self;

    /// Returns the parameters and their values, in order. The default of each is its value.
    fn numbers(&mut self) -> Vec<(FilterParameter<Self::Unit>, &mut f32)>;

    /// Returns the numeric parameters, in order.
    fn parameters(&self) -> Vec<FilterParameter<Self::Unit>> {
        let mut fresh = self.default_of_kind();
        fresh.numbers().into_iter().map(|(parameter, _)| parameter).collect()
    }

    /// Returns the values of [`parameters`](Self::parameters), for reading and changing.
    fn values(&mut self) -> Vec<&mut f32> {
        self.numbers().into_iter().map(|(_, value)| value).collect()
    }

    /// Sets a parameter, clamped to its range. Returns true if a parameter with this name exists.
    fn set(&mut self, name: &str, new: f32) -> bool {
        let found = self.numbers().into_iter().find(|(parameter, _)| parameter.name == name);
        let Some((FilterParameter { range, .. }, value)) = found else { return false };
        if new.is_finite() {
            *value = new.clamp(*range.start(), *range.end());
        }
        true
    }
}
