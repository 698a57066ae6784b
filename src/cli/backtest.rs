//! `backtest`: what would have been foreseen of feeds whose arrivals are known, held against questions in a file. Asks nobody.

use super::{Backtest as Args, Common, Format, output};
use crate::backtest::{self, Files};
use crate::error::{Error, Exit};
use serde_json::json;

pub(super) fn run(common: &Common, args: &Args) -> Result<Exit, Error> {
    let files = Files { feeds: &args.feeds, deadlines: &args.deadlines, predictions: &args.predictions, eta: &args.eta };
    let answered = backtest::run(files).map_err(Error::Backtest)?;
    let (feeds, cycles, predictions) = (answered.feeds, answered.cycles, answered.predictions);
    output::write(&match common.format {
        Format::Text => format!("{predictions} predictions for {cycles} cycles of {feeds} feeds\n"),
        _ => json!({"feeds": feeds, "cycles": cycles, "predictions": predictions}).to_string(),
    })?;
    Ok(Exit::Fine)
}
