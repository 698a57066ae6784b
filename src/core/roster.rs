//! roster
#[derive(Debug, Clone, Default)]
pub struct Roster;
