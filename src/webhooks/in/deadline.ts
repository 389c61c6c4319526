export class DeadlinePassed extends Error {
  constructor() {
    super('the deadline passed');
    this.name = 'DeadlinePassed';
  }
}

/**
 * What `work` gives, or DeadlinePassed when it takes longer. The work itself goes on: nobody knows whether it will still succeed.
 * @param ms real time, since it is the caller's patience that runs out
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlinePassed()), Math.max(0, ms));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
