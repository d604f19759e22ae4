import { RawConnection, requestBytes } from './raw-connection';
import { CONNECTIONS, putObject, type LoadRequest } from './workload';

/** Stores the first `count` objects of the workload, as fast as they are taken; with `put`, in another server's way. */
export async function storeObjects(
  port: number,
  count: number,
  put: (key: number) => LoadRequest = putObject,
): Promise<void> {
  let key = 0;
  const lane = async (): Promise<void> => {
    let fail: (error: Error) => void = () => undefined;
    const connection = await RawConnection.open(port, (error) => fail(error));
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      const next = (): void => {
        if (key >= count) return resolve();
        const mine = key++;
        connection.send(requestBytes(put(mine)), (status) => {
          if (status === 200) next();
          else reject(new Error(`a put answered ${status}`));
        });
      };
      next();
    });
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}
