//! The table of a preflight: workloads × nodes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{LineStyle, Table, TableStyle};

use crate::base::escape;
use crate::check::{Landing, Placement};
use crate::exec::{Outcome, Trace};
use crate::node::Node;

use super::words;

/// More kinds of nodes than this make no readable row.
const MOST: usize = 6;

/// Writes what becomes of each container on each node. Nodes of which all the same is known and becomes are one column.
///
/// # Errors
/// `out` cannot be written to.
pub fn placements(placements: &[Placement], machines: &[Node], out: &mut dyn Write) -> io::Result<()> {
    if placements.is_empty() || machines.is_empty() {
        return Ok(());
    }
    let columns = columns(placements, machines);
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    let titles = columns.iter().take(MOST).map(|(title, _)| title.clone());
    table.set_header(["workload".to_owned(), "container".to_owned()].into_iter().chain(titles).collect::<Vec<_>>());
    for (number, placement) in placements.iter().enumerate() {
        let cells = columns.iter().take(MOST).filter_map(|(_, cells)| cells.get(number).cloned());
        let start = [placement.title(), escape(&placement.container).to_string()];
        table.add_row(start.into_iter().chain(cells).collect::<Vec<_>>());
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let more = columns.len().saturating_sub(MOST);
    if more > 0 {
        writeln!(out, " and {more} more kinds of nodes")?;
    }
    writeln!(out)
}

/// Titles with the cells below them, for each kind of node in the order of the first of its kind.
fn columns(placements: &[Placement], machines: &[Node]) -> Vec<(String, Vec<String>)> {
    let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
    let mut known: BTreeMap<(String, Vec<String>), (usize, usize)> = BTreeMap::new();
    for (number, machine) in machines.iter().enumerate() {
        let cells: Vec<String> =
            placements.iter().map(|placement| placement.landings.get(number).map_or_else(String::new, cell)).collect();
        let kind = (machine.platform.to_string(), cells.clone());
        let (place, others) = known.entry(kind).or_insert_with(|| {
            kinds.push((machine.name.clone(), cells));
            (kinds.len().saturating_sub(1), 0)
        });
        if let Some((title, _)) = kinds.get_mut(*place).filter(|_| *others > 0) {
            *title = format!("{} +{others}", title.split(" +").next().unwrap_or_default());
        }
        *others += 1;
    }
    kinds
}

fn cell(landing: &Landing) -> String {
    match landing {
        Landing::KeptAway(_) => "-".to_owned(),
        Landing::NothingToPull => "nothing to pull".to_owned(),
        Landing::NotLooked(_) => "not looked at".to_owned(),
        Landing::Starts(outcome, _) => match &**outcome {
            Outcome::Runs => "runs".to_owned(),
            outcome => words::outcome(&Trace::without_hops(outcome.clone())),
        },
    }
}
