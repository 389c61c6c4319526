export interface FormFile {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FormFile>;
}

/** Biggest body that is read at all: two documents of 10 MB and room for the rest. */
export const maxFormBytes = 32 * 1024 * 1024;

/** The parts of a multipart body, the last of a name winning; null when it is none or is broken. */
export const readForm = async (body: Buffer, contentType: string | undefined): Promise<Form | null> => {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) return null;
  const parts = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => null);
  if (parts === null) return null;
  const fields = new Map<string, string>();
  const files = new Map<string, FormFile>();
  for (const [name, value] of parts.entries()) {
    if (typeof value === 'string') fields.set(name, value);
    else files.set(name, { name: value.name, type: value.type, size: value.size });
  }
  return { fields, files };
};
