/*
 * select.h: a query that somebody gives as text.
 *
 * Text that is put into a statement of ours must be one SELECT by itself: what only becomes statements
 * there could be several, whose rows would be taken for those of the one that was asked about.
 */
#ifndef RECO_SELECT_H
#define RECO_SELECT_H

/*
 * The text of a query, without what may end it or follow it.  Raises an error unless it is one SELECT,
 * which goes by that name in messages: "the events query".
 */
extern char *SelectText(const char *what, const char *query);

#endif
