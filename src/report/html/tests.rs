use super::html;
use crate::report::{Report, sample};

fn printed(report: &Report) -> String {
    let mut out = Vec::new();
    html(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The page without what is the same in all.
fn body(report: &Report) -> String {
    let page = printed(report);
    let start = page.find("<body>").unwrap();
    let end = page.find("<script>").unwrap();
    page[start..end].to_owned()
}

#[test]
fn a_page_has_the_matrix_the_findings_and_the_chain() {
    snapbox::assert_data_eq!(body(&sample::every_locus()), snapbox::file!["snapshots/page.html"].raw());
}

#[test]
fn nothing_is_fetched_and_only_the_pages_own_text_runs() {
    let page = printed(&sample::every_locus());
    for loading in ["src=", "@import", "url(", "<link", "<iframe", "<object", "<base", " style=", " onclick"] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn no_name_is_markup() {
    let body = body(&sample::hostile());
    assert!(!body.contains("<img") && !body.contains("<script") && !body.contains("--><") && !body.contains('\u{1b}'), "{body}");
    assert!(body.contains("&lt;img src=x onerror=alert(1)&gt;"), "{body}");
}

#[test]
fn every_cell_leads_somewhere() {
    for report in [sample::index(), sample::every_locus(), sample::hostile()] {
        let body = body(&report);
        for address in body.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(body.contains(&format!("id=\"{address}\"")), "{address}");
        }
    }
}
