/**
 * The report's only script: tables of class `sortable` are sorted by a click on a heading. Cells carry what they are sorted by in
 * `data-sort`; one without it, or with nothing in it, comes last either way. Without script the tables stand as they were written.
 */
import { createHash } from "node:crypto";

/** Written for any browser since 2018; no modules, so that it runs from a file. */
export const SORT_SCRIPT = `
(function () {
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      if (head.hasAttribute("data-fixed")) return;
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") !== "descending";
        Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var rows = Array.prototype.slice.call(body.rows).map(function (row, place) {
          var key = row.cells[column].getAttribute("data-sort");
          return { row: row, place: place, key: key };
        });
        rows.sort(function (a, b) {
          var none = Number(!a.key) - Number(!b.key);
          if (none !== 0) return none;
          if (!a.key) return a.place - b.place;
          var x = Number(a.key), y = Number(b.key);
          var order = isFinite(x) && isFinite(y) ? x - y : a.key.localeCompare(b.key);
          return (down ? -order : order) || a.place - b.place;
        });
        rows.forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  });
})();
`;

/** What a content security policy names it by. */
export const SORT_SCRIPT_SOURCE = `'sha256-${createHash("sha256").update(SORT_SCRIPT).digest("base64")}'`;
