//! What an image is, without a verdict.

use crate::base::{Platform, escape};
use crate::check::Verdict;
use crate::exec::Launch;
use crate::report::words::{self, label};
use crate::report::{ImageReport, TargetReport};

use super::style::{BOLD, DIM, LOCUS};
use super::{HumanOptions, story, tables};

/// All facts of a target, in blocks.
pub(super) fn blocks(target: &TargetReport, options: HumanOptions) -> Vec<Vec<String>> {
    let digest = target.digest.as_ref().map(|digest| format!("  {DIM}{digest}{DIM:#}")).unwrap_or_default();
    let mut blocks = vec![vec![format!("{BOLD}{}{BOLD:#}{digest}", escape(&target.target))]];
    for image in &target.images {
        blocks.push(documents(image));
        blocks.push(tables::layers(image, options.columns()));
        blocks.extend(image.verdicts.iter().map(|verdict| start(image, verdict, options)));
        blocks.push(tables::predictions(image));
        blocks.push(image.files.as_ref().map(|files| tables::files(files)).unwrap_or_default());
    }
    if target.images.len() > 1 {
        blocks.push(tables::matrix(target));
    }
    blocks
}

fn documents(report: &ImageReport) -> Vec<String> {
    let image = &report.image;
    let said = |platform: Option<&Platform>| platform.map_or("does not say".to_owned(), |platform| format!("says {platform}"));
    let config = image.config.as_ref().map(|config| &config.platform);
    let mut lines = vec![format!("{LOCUS}{}{LOCUS:#}", label(image))];
    lines.extend(image.digest.as_ref().map(|digest| format!("  digest    {digest}")));
    lines.push(match &image.declared {
        Some(_) => format!("  platform  index entry {}, config {}", said(image.declared.as_ref()), said(config)),
        None => format!("  platform  config {}", said(config)),
    });
    lines.extend(report.launch.as_ref().map(launch));
    lines.extend(report.fetched.as_ref().map(|fetched| format!("  read      {}", words::fetched(fetched))));
    if report.partial {
        lines.push("  partial   some layer could not be read whole: `enoexec check` says which".to_owned());
    }
    lines
}

fn launch(launch: &Launch) -> String {
    let argv: Vec<String> = launch.argv.iter().map(|word| quoted(word)).collect();
    let user = if launch.user_text.is_empty() { "root".to_owned() } else { escape(&launch.user_text).to_string() };
    let argv = if argv.is_empty() { "nothing".to_owned() } else { argv.join(" ") };
    format!("  starts    {argv}  {DIM}in {} as {user}{DIM:#}", escape(&launch.cwd))
}

/// A word as a shell would take it.
fn quoted(word: &[u8]) -> String {
    let text = escape(word).to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "-_./:=,@%+".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn start(image: &ImageReport, verdict: &Verdict, options: HumanOptions) -> Vec<String> {
    let other = if verdict.selected { "" } else { ", which does not pull this image" };
    let message = verdict.message.as_ref().map(|message| format!(": {}", escape(message))).unwrap_or_default();
    let end = words::outcome(&verdict.trace);
    let mut lines = vec![format!("{BOLD}on {}{BOLD:#}{other}: {end}{DIM}{message}{DIM:#}", escape(&verdict.node.name))];
    lines.extend(story::in_gutter(&story::story(&image.image, &verdict.trace, options.columns().saturating_sub(5))));
    lines
}
