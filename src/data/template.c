#include "data/template.h"

#include "lib/stringinfo.h"

char *
TemplateFill(const char *statements, const TemplateWord *words)
{
	StringInfoData sql;

	initStringInfo(&sql);
	while (*statements)
	{
		const TemplateWord *word = words;

		for (; *statements == '{' && word->word; word++)
			if (strncmp(statements, word->word, strlen(word->word)) == 0)
				break;
		if (*statements == '{' && word->word)
		{
			appendStringInfoString(&sql, word->text);
			statements += strlen(word->word);
		}
		else
			appendStringInfoChar(&sql, *statements++);
	}
	return sql.data;
}
