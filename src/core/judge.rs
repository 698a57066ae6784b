//! judge
#[derive(Debug, Clone, Default)]
pub struct View;
