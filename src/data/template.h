/*
 * template.h: statements of SQL with {words} for what differs between models.
 *
 * What a word stands for is put in as it is: identifiers quoted, types by name, expressions made of
 * both.  Values never are; they travel as parameters.
 */
#ifndef RECO_TEMPLATE_H
#define RECO_TEMPLATE_H

#include "base/compat.h"

/* A {word} and what stands for it; the last of an array has neither. */
typedef struct TemplateWord
{
	const char *word;
	const char *text;
} TemplateWord;

/* The statements with every {word} put in. */
extern char *TemplateFill(const char *statements, const TemplateWord *words);

#endif
