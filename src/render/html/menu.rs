//! The list of the executors on the page, to choose from.

use super::executor::label;
use super::names;
use super::text::push;
use crate::listing::ExecutorListing;
use crate::render::executors::state;
use crate::render::paint::file_name;
use std::fmt::Write;

/// A button and the list that it opens; nothing where there is no choice.
pub fn menu(out: &mut String, executors: &[ExecutorListing]) {
    if executors.len() < 2 {
        return;
    }
    let _ = write!(
        out,
        "<nav aria-label=Executors><button type=button id=previous title=\"Previous executor ([)\" \
         aria-label=\"Previous executor\">‹</button>\
         <button type=button id=choose popovertarget=list>{} executors</button>\
         <button type=button id=next title=\"Next executor (])\" aria-label=\"Next executor\">›</button></nav>\n\
         <div popover id=list><table><thead><tr><th scope=col>executor<th scope=col>entered at<th scope=col>uops\
         <th scope=col>bytes<th scope=col>linked exits<th scope=col>state</thead><tbody>\n",
        executors.len()
    );
    for one in executors {
        row(out, one);
    }
    out.push_str("</tbody></table></div>\n");
}

fn row(out: &mut String, one: &ExecutorListing) {
    let header = &one.executor;
    let _ = write!(out, "<tr><td><a href=\"#{}\">", names::executor(header));
    push(out, &label(header));
    out.push_str("</a><td>");
    match (&header.filename, header.entry.and_then(|entry| entry.line)) {
        (Some(file), Some(line)) => {
            push(out, file_name(file));
            let _ = write!(out, ":{line}");
        }
        _ => out.push_str("exits only"),
    }
    let linked = one.exits().iter().filter(|exit| exit.linked_to.is_some());
    let _ = write!(
        out,
        "<td>{}<td>{}<td>{} of {}<td>",
        header.uop_count,
        header.code.size,
        linked.count(),
        one.exits().len()
    );
    push(out, &state(header));
    out.push('\n');
}
