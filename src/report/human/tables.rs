//! Tables: images × nodes, layers × machines, predictions, files.

use std::collections::BTreeSet;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::base::escape;
use crate::image::LayerSource;
use crate::report::words::{self, build_step, label, outcome};
use crate::report::{FileReport, ImageReport, MachineCount, TargetReport};

use super::style::{BOLD, shortened};

/// More machines than this make no readable row; the rest are counted together.
const MOST_MACHINES: usize = 6;

fn table<I: IntoIterator<Item = String>>(header: I) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header.into_iter().collect::<Vec<_>>());
    table
}

fn rendered(table: &Table) -> Vec<String> {
    let bold = |(number, line): (usize, String)| {
        let line = line.trim_end();
        if number == 0 { format!("{BOLD}{line}{BOLD:#}") } else { line.to_owned() }
    };
    table.lines().enumerate().map(bold).collect()
}

/// How each image ends on each node; nothing where no image was tried on more than one.
pub(super) fn matrix(target: &TargetReport) -> Vec<String> {
    if target.images.iter().all(|image| image.verdicts.len() < 2) {
        return Vec::new();
    }
    let nodes = words::nodes(std::slice::from_ref(target));
    let mut table = table(["image".to_owned()].into_iter().chain(nodes.clone()));
    for image in &target.images {
        let cells = nodes.iter().map(|node| words::cell(image, node));
        table.add_row([label(&image.image)].into_iter().chain(cells).collect::<Vec<_>>());
    }
    rendered(&table)
}

/// A machine as a column: word size and byte order only where the image has the machine in several.
fn machine_name(count: &MachineCount, all: &[MachineCount]) -> String {
    let is_other =
        |other: &&MachineCount| other.machine == count.machine && (other.bits, other.endian) != (count.bits, count.endian);
    if all.iter().find(is_other).is_none() {
        return count.machine.clone();
    }
    let bits = count.bits.map(|bits| format!(" {bits}-bit")).unwrap_or_default();
    let endian = count.endian.map(|endian| format!(" {endian}")).unwrap_or_default();
    format!("{}{bits}{endian}", count.machine)
}

/// The layers from the bottom: how many files of each machine, and the build step.
pub(super) fn layers(image: &ImageReport, width: usize) -> Vec<String> {
    let counts = &image.machines;
    let names: BTreeSet<String> = counts.iter().map(|count| machine_name(count, counts)).collect();
    let (shown, rest): (Vec<_>, Vec<_>) = names.into_iter().enumerate().partition(|(place, _)| *place < MOST_MACHINES);
    let mut columns: Vec<(String, Vec<String>)> = shown.into_iter().map(|(_, name)| (name.clone(), vec![name])).collect();
    if !rest.is_empty() {
        columns.push(("others".to_owned(), rest.into_iter().map(|(_, name)| name).collect()));
    }
    let header = ["layer", "digest"].map(ToOwned::to_owned).into_iter();
    let header = header.chain(columns.iter().map(|(title, _)| title.clone())).chain(["build step".to_owned()]);
    let mut table = table(header);
    for (number, layer) in image.image.layers.iter().enumerate() {
        let digest = match &layer.source {
            LayerSource::Blob(descriptor) => descriptor.digest.as_ref(),
            LayerSource::Tree | LayerSource::File => None,
        };
        let digest = digest.or(layer.diff_id.as_ref());
        let cells = columns.iter().map(|(_, names)| {
            let here = counts.iter().filter(|count| count.layer == number && names.contains(&machine_name(count, counts)));
            Some(here.map(|count| count.files).sum::<usize>())
                .filter(|files| *files > 0)
                .map_or_else(String::new, |files| files.to_string())
        });
        let step = layer.step.as_ref().map(|step| shortened(&build_step(&step.created_by), width.saturating_sub(40).max(24)));
        let row = [number.to_string(), digest.map_or("", |digest| digest.short()).to_owned()].into_iter().chain(cells);
        table.add_row(row.chain([step.unwrap_or_default()]).collect::<Vec<_>>());
    }
    for place in [0].into_iter().chain(2..columns.len().saturating_add(2)) {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    rendered(&table)
}

/// The paths of `--exec`, and what becomes of them on each node.
pub(super) fn predictions(image: &ImageReport) -> Vec<String> {
    if image.exec.is_empty() {
        return Vec::new();
    }
    let mut table = table(["exec", "node", "outcome"].map(ToOwned::to_owned));
    for exec in &image.exec {
        table.add_row([escape(&exec.path).to_string(), escape(&exec.node).to_string(), outcome(&exec.trace)]);
    }
    rendered(&table)
}

/// Every file that is code.
pub(super) fn files(files: &[FileReport]) -> Vec<String> {
    let mut table = table(["file", "layer", "kind", "interpreter"].map(ToOwned::to_owned));
    for file in files {
        let parts: Vec<&str> = [Some(file.kind), file.machine.as_deref(), file.elf_type].into_iter().flatten().collect();
        table.add_row([file.path.clone(), file.layer.to_string(), parts.join(" "), file.interp.clone().unwrap_or_default()]);
    }
    rendered(&table)
}
