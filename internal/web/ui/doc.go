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
// Where to look: frame.go, sound.go, form.go hold the structs of parts; pages.go and pages_buy.go those of pages. Components
// that draw a whole page carry its noun (Home, SearchResults, Recording, PackBody, Profile, Upload, Batch, Describe, Cart,
// Checkout, Order, Library, Certificate, Verify, Earnings, Review, SignUp, SignIn, Settings, FormFull, Error); Plain puts a
// page head over any body. Parts end in Part when their struct has the plain name (FieldPart draws a Field). A gallery of
// every page: go test ./internal/web/ui -run TestGallery -gallery 127.0.0.1:8099 -timeout 0
//
// Times are int64 Unix microseconds shown in UTC, lengths are seconds, gains are decibels.
package ui
