// Package ui is what people see: the frame of every page, the parts pages are built of, and page bodies that need no domain.
//
// It is pure: a component takes a view struct of plain data (strings, numbers, slices) and writes HTML. Nothing here reads a
// database, a clock or a request, and money and links come ready-made as strings, so any package may render any page.
//
//	ui.Page(frame, ui.SearchResults(ui.SearchPage{…})).Render(ctx, w)
//
// What it promises:
//   - every page reads and submits without JavaScript; scripts add seeking, keys and continuity, never content;
//   - every string of a view struct is text and is escaped, except fields whose name ends in HTML (sanitized by their owner);
//   - no inline script and no inline style, so `default-src 'self'` holds;
//   - hue only where sound is drawn, where the keyboard is and where a state must be told.
//
// Times are int64 Unix microseconds shown in UTC, lengths are seconds, gains are decibels.
package ui
